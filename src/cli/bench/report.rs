//! The result as tables.

use crate::{
    cli::{exit::Outcome, output},
    dev::bench::{Scenario, ScenarioReport},
};

/// Prints it for people.
pub(super) fn show(reports: &[ScenarioReport]) -> Outcome {
    let header =
        ["", "jobs", "s", "in/s", "out/s", "p50 ms", "p99 ms", "max ms", "cpu s d/r/p", "MiB", "WAL B/job", "K"];
    output::table(header, reports.iter().map(row))?;
    for line in reports.iter().flat_map(remarks).chain(without_broker(reports)) {
        output::text(&line)?;
    }
    for report in reports.iter().filter(|report| !report.statements.is_empty()) {
        output::text(&format!("{}: {}", report.scenario, statements(report)))?;
    }
    let Some(ScenarioReport { workers, slots, lanes, pointers_max, seed, .. }) = reports.first() else { return Ok(()) };
    output::text(&format!("workers {workers}, slots {slots}, lanes {lanes}, pointers_max {pointers_max}, seed {seed}"))
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

/// What only some scenarios have.
fn remarks(of: &ScenarioReport) -> Vec<String> {
    let share = of.share.map_or_else(String::new, |share| format!(": {:.1} %", share * 100.0));
    let lines = [
        of.ideal_per_second.map(|ideal| format!("of {ideal:.0} a second that the slots allow{share}")),
        of.plain_per_second.map(|plain| format!("of {plain:.0} a second without Docket{share}")),
        of.baseline_k1_per_second.map(|rate| format!("{rate:.0} a second with one job a message")),
        of.backlog.map(|rates| {
            let (alone, waiting, history) = (rates.alone, rates.waiting, rates.history);
            format!("{alone:.0} a second alone, {waiting:.0} beside a backlog, {history:.0} beside a history")
        }),
        of.rows_beside.map(|rows| format!("beside {rows} rows")),
        of.cpu_ms_per_item.map(|ms| format!("{ms:.2} ms of processor time an item, {} items", of.items.unwrap_or(0))),
        of.items_per_second.map(|rate| format!("{rate:.0} items a second")),
    ];
    lines.into_iter().flatten().map(|line| format!("{}: {line}", of.scenario)).collect()
}

/// The throughput without a broker, where one run measured both.
fn without_broker(reports: &[ScenarioReport]) -> Option<String> {
    let rate = |scenario| reports.iter().find(|report| report.scenario == scenario)?.drain_per_second;
    let share = rate(Scenario::Direct)? / rate(Scenario::Drain)?;
    Some(format!("direct: {:.0} % of the throughput with a broker", share * 100.0))
}

/// The most frequent ones first.
fn statements(of: &ScenarioReport) -> String {
    let mut all: Vec<_> = of.statements.iter().collect();
    all.sort_by_key(|(_, statements)| std::cmp::Reverse(statements.count));
    let parts = all.iter().map(|(name, statements)| format!("{name} {}", statements.count));
    parts.collect::<Vec<_>>().join(", ")
}
