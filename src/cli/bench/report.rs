//! The result as tables.

use crate::{
    cli::{exit::Outcome, output},
    dev::bench::{BenchReport, ScenarioReport},
};

/// Prints it for people.
pub(super) fn show(report: &BenchReport) -> Outcome {
    let header =
        ["", "jobs", "s", "in/s", "out/s", "p50 ms", "p99 ms", "max ms", "cpu s d/r/p", "MiB", "WAL B/job", "K"];
    output::table(header, report.scenarios.iter().map(row))?;
    for scenario in report.scenarios.iter().filter(|scenario| !scenario.statements.is_empty()) {
        output::text(&format!("{}: {}", scenario.scenario, statements(scenario)))?;
    }
    if let Some(share) = report.direct_share() {
        output::text(&format!("without the broker: {:.0} % of the throughput", share * 100.0))?;
    }
    let BenchReport { workers, slots, pointers_max, seed, .. } = report;
    output::text(&format!("workers {workers}, slots {slots}, pointers_max {pointers_max}, seed {seed}"))
}

fn row(of: &ScenarioReport) -> [String; 12] {
    let number = |value: Option<f64>, digits| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"));
    let (latency, cpu) = (of.latency_ms, &of.cpu_seconds);
    [
        of.scenario.to_string(),
        of.jobs.to_string(),
        number(Some(of.seconds), 2),
        number(of.enqueue_per_second, 0),
        number(of.drain_per_second, 0),
        number(latency.map(|latency| latency.p50), 1),
        number(latency.map(|latency| latency.p99), 1),
        number(latency.map(|latency| latency.max), 1),
        format!("{:.1}/{}/{}", cpu.own, number(cpu.rabbitmq, 1), number(cpu.postgresql, 1)),
        number(Some(of.rss_mib), 0),
        number(Some(of.wal_bytes_per_job), 0),
        number(of.k_mean, 1),
    ]
}

/// The most frequent ones first.
fn statements(of: &ScenarioReport) -> String {
    let mut all: Vec<_> = of.statements.iter().collect();
    all.sort_by_key(|(_, statements)| std::cmp::Reverse(statements.count));
    let parts = all.iter().map(|(name, statements)| format!("{name} {}", statements.count));
    parts.collect::<Vec<_>>().join(", ")
}
