//! The verdict for people.

use crate::{
    cli::{exit::Outcome, output},
    dev::chaos::check::Verdict,
};

/// Prints it as tables.
pub(super) fn show(verdict: &Verdict) -> Outcome {
    let recovery = verdict.recovery_seconds;
    let slope = verdict.rss_mib_slope_per_minute.map_or_else(|| "-".to_owned(), |slope| format!("{slope:.2}"));
    let rows = [
        ("accepted", verdict.accepted.to_string()),
        ("completed", verdict.completed.to_string()),
        ("failed", verdict.failed.to_string()),
        ("dead letters", verdict.dead_letter.to_string()),
        ("cancelled", verdict.cancelled.to_string()),
        ("lost", verdict.lost.to_string()),
        ("double", verdict.double.to_string()),
        ("false dead letters", verdict.false_dead_letters.to_string()),
        ("stuck", verdict.found.stuck.len().to_string()),
        ("recovered publishes", verdict.recovered_publishes.to_string()),
        ("duplicates dropped", verdict.duplicates_dropped.to_string()),
        ("fenced", verdict.fenced.to_string()),
        ("reaped", verdict.reaped.to_string()),
        ("direct leases", verdict.direct_leases.to_string()),
        ("recovery s p50/p95/max", format!("{:.1}/{:.1}/{:.1}", recovery.p50, recovery.p95, recovery.max)),
        ("recovery s after a purge", format!("{:.1}", verdict.recovery_seconds_purge.max)),
        ("memory MiB a minute", slope),
    ];
    output::table(["", &format!("seed {}", verdict.seed)], rows.map(|(name, value)| [name.to_owned(), value]))?;
    let faults: Vec<String> = verdict.faults.iter().map(|(class, count)| format!("{class} {count}")).collect();
    output::text(&format!("faults: {}", faults.join(", ")))
}

/// A line for each promise that was broken.
pub(super) fn faults(verdict: &Verdict) -> Vec<String> {
    let found = &verdict.found;
    let lists = [("lost", &found.lost), ("double", &found.double), ("false dead letter", &found.false_dead_letters)];
    let all = lists.into_iter().flat_map(|(what, jobs)| jobs.iter().map(move |(job, why)| (what, job, why)));
    let jobs = all.map(|(what, job, why)| format!("{what}: job {job}: {why}"));
    jobs.chain(found.stuck.iter().map(|what| format!("stuck: {what}"))).collect()
}
