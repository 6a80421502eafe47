//! Small functions that run once a job or a message, in time. `cargo bench --bench micro`; see `scripts/bench-micro`.

#[path = "micro/inputs.rs"]
mod inputs;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use docket::{
    civic::vendor::parse_file,
    fleet::{broker::Message, job::Envelope, retry::RetryPolicy},
    telemetry::{Metrics, attempt_line, names},
};
use inputs::{COMPLETED, RETRIED};
use metrics::{counter, histogram};
use std::{hint::black_box, time::Duration};

fn envelope(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    for count in [1, 100] {
        let (envelope, body) = (inputs::envelope(count), inputs::body(count));
        group.bench_function(BenchmarkId::new("encode", count), |b| b.iter(|| black_box(&envelope).encode()));
        group.bench_function(BenchmarkId::new("decode", count), |b| b.iter(|| Envelope::decode(black_box(&body))));
    }
    group.finish();
}

fn retry(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("retry");
    let policy = RetryPolicy::default();
    group.bench_function("decision", |b| {
        b.iter(|| black_box(&policy).after_failure(black_box((100, 1)), true, black_box(0.3), None));
    });
    let asked = Some(Duration::from_secs(7));
    group.bench_function("backoff", |b| {
        b.iter(|| black_box(&policy).delay(black_box(4), black_box(0.3), black_box(asked)));
    });
    group.finish();
}

fn message(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    for count in [1, 32] {
        let outgoing = inputs::outgoing(count);
        group.bench_function(BenchmarkId::new("jobs", count), |b| b.iter(|| Message::new(black_box(&outgoing))));
    }
    group.finish();
}

fn log_line(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log_line");
    let _logging = tracing::dispatcher::set_default(&inputs::json_log());
    for (name, line) in [("completed", COMPLETED), ("retried", RETRIED)] {
        group.bench_function(name, |b| b.iter(|| attempt_line(black_box(&line))));
    }
    group.finish();
}

/// `/metrics` of a worker that has seen 3,000 cities: 9,000 counters, and the buckets of 56 kinds.
fn metrics_page(criterion: &mut Criterion) {
    let metrics = Metrics::install().expect("nobody else does, here");
    for city in (0..3000).map(|number| format!("city-{number}")) {
        for name in [names::MEETINGS_SYNCED, names::ITEMS_EXTRACTED, names::MATTERS_TRACKED] {
            counter!(name, "city" => city.clone(), "vendor" => "legistar").increment(1);
        }
    }
    for kind in 0..56 {
        histogram!(names::PROCESSING_DURATION, "job_type" => format!("kind-{kind}")).record(0.2);
    }
    criterion.bench_function("metrics_page/10000_series", |b| b.iter(|| black_box(metrics.render())));
}

/// A page of Granicus of 3 MB: 1,200 meetings, with as much markup around each as real archives have.
fn granicus_page(criterion: &mut Criterion) {
    let row = |n: usize| {
        format!(
            "<tr class='listingRow' onmouseover=\"this.className = 'hlt';\"><td class='listItem' headers='Name' id='c{n}' scope='row'>\
             City Council Meeting {n}</td><td class='listItem' headers='Date c{n}'><span style='display:none;'>{n}</span>\
             December&nbsp;{},&nbsp;2022 - 05:32&nbsp;PM</td><td class='listItem'><a href='//x.granicus.com/AgendaViewer.php?view_id=1&clip_id={n}'>\
             Agenda</a></td><td class='listItem'><a href='javascript:void(0);' onClick=\"window.open('//x.granicus.com/MediaPlayer.php?clip_id={n}')\">\
             Video</a></td></tr>\n{}",
            n % 28 + 1,
            "<!-- the publisher's own remarks stand between the rows -->\n".repeat(32)
        )
    };
    let page: String = (0..1_200).map(row).collect();
    let page = format!("<html><body><table class='listingTable'>{page}</table></body></html>");
    assert!((3_000_000..3_600_000).contains(&page.len()), "{}", page.len());
    let parse = || parse_file("granicus", "archive", black_box(page.as_bytes()), None).expect("an archive");
    assert_eq!(parse().meetings.len(), 1_200);
    criterion.bench_function("granicus_page/3_mb", |b| b.iter(parse));
}

criterion_group!(micro, envelope, retry, message, log_line, metrics_page, granicus_page);
criterion_main!(micro);
