//! Figures: counts, times, memory.

use crate::dev::{
    bench::percentile,
    chaos::{
        evidence::{Evidence, Sample, What},
        samples as s,
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// A process's memory is looked at from so long after its first sample: before that it fills its pools and caches.
const WARM_US: u64 = 15_000_000;
/// A series shorter than this says nothing of a minute.
const LONG_US: u64 = 10_000_000;
const MINUTE_US: f64 = 60_000_000.0;
const MIB: f64 = 1024.0 * 1024.0;

/// The sum over all processes of what each had counted when it was last seen.
pub(super) fn counted(evidence: &Evidence, name: &str) -> u64 {
    let mut most: HashMap<(&str, i32), f64> = HashMap::new();
    for sample in &evidence.samples {
        let value = sample.counters.get(name).copied().unwrap_or_default();
        let most = most.entry((&sample.member, sample.pid)).or_default();
        *most = most.max(value);
    }
    // Counts are whole numbers far below 2^53.
    most.into_values().sum::<f64>() as u64
}

/// Jobs that a rule brought back.
pub(super) fn rescued(evidence: &Evidence, rule: &str) -> u64 {
    evidence.rescues.iter().filter(|rescues| rescues.rule == rule).map(|rescues| rescues.jobs).sum()
}

/// Publishes whose confirm was cut off: the broker had said that it has them.
pub(super) fn confirms_cut(evidence: &Evidence) -> u64 {
    let healed = evidence.events.iter().filter(|event| event.event == What::Healed);
    healed.filter_map(|event| event.detail.get("confirms_cut")?.as_u64()).sum()
}

/// How often each class was played.
pub(super) fn faults(evidence: &Evidence) -> BTreeMap<String, u64> {
    let mut faults = BTreeMap::new();
    for event in evidence.events.iter().filter(|event| event.event == What::Healed) {
        *faults.entry(event.class.clone()).or_default() += 1;
    }
    faults
}

/// Seconds to recover, of purges or of all else. One that never did counts with the time that it was given.
pub(super) fn recoveries(evidence: &Evidence, purges: bool) -> Vec<Duration> {
    let told = evidence.events.iter().filter(|event| matches!(event.event, What::Recovered | What::NotRecovered));
    let mut times: Vec<Duration> = told
        .filter(|event| (event.class == "purge") == purges)
        .filter_map(|event| Duration::try_from_secs_f64(event.seconds?).ok())
        .collect();
    times.sort_unstable();
    times
}

/// Seconds that `percent` of 100 of the sorted times don't exceed; 0 for none.
pub(super) fn rank(sorted: &[Duration], percent: u32) -> f64 {
    percentile(sorted, percent).unwrap_or_default().as_secs_f64()
}

/// Which of the things that must happen in a run did not, and which faults could not be made.
pub(super) fn missing(evidence: &Evidence) -> Vec<String> {
    let bites = [
        ("R1", rescued(evidence, "R1") >= 1),
        ("R2", rescued(evidence, "R2") >= 1),
        ("R3", rescued(evidence, "R3") >= 1),
        ("R6", counted(evidence, s::R6) >= 1),
        ("fenced", counted(evidence, s::FENCED) >= 1),
        ("commit unknown", counted(evidence, s::UNKNOWN_COMMITS) >= 1),
        ("publish unknown", counted(evidence, s::UNKNOWN_PUBLISHES) >= 1),
        ("three reaped", rescued(evidence, "R4") >= 3),
    ];
    let failed = evidence.events.iter().filter(|event| event.event == What::Failed);
    let failed = failed.map(|event| format!("{} ({})", event.class, event.detail["error"]));
    bites.into_iter().filter(|(_, bit)| !bit).map(|(name, _)| name.to_owned()).chain(failed).collect()
}

/// How the workers' memory grows, in MiB a minute: least squares over the most that each process had up to then, with one
/// slope for all of them and a level of its own for each. The most, because the kernel takes pages from a process that is
/// frozen, and their return is no growth. None: no process lived long enough.
pub(super) fn slope(evidence: &Evidence) -> Option<f64> {
    let mut series: HashMap<(&str, i32), Vec<&Sample>> = HashMap::new();
    for sample in evidence.samples.iter().filter(|sample| sample.member.starts_with("worker") && sample.rss > 0) {
        series.entry((&sample.member, sample.pid)).or_default().push(sample);
    }
    let (mut above, mut below) = (0.0, 0.0);
    for samples in series.values_mut() {
        samples.sort_by_key(|sample| sample.at_us);
        let first = samples.first().map(|sample| sample.at_us).unwrap_or_default();
        let mut most = 0;
        let peaks = samples.iter().map(|sample| {
            most = most.max(sample.rss);
            (sample.at_us, most)
        });
        let warm: Vec<(f64, f64)> = peaks
            .filter(|(at, _)| *at >= first + WARM_US)
            .map(|(at, most)| ((at - first) as f64 / MINUTE_US, most as f64 / MIB))
            .collect();
        let span = warm.iter().map(|(at, _)| *at).fold(0.0, f64::max) * MINUTE_US - WARM_US as f64;
        if span < LONG_US as f64 {
            continue;
        }
        let count = warm.len() as f64;
        let (time, rss) = warm.iter().fold((0.0, 0.0), |(t, r), (at, mib)| (t + at / count, r + mib / count));
        above += warm.iter().map(|(at, mib)| (at - time) * (mib - rss)).sum::<f64>();
        below += warm.iter().map(|(at, _)| (at - time) * (at - time)).sum::<f64>();
    }
    (below > 0.0).then(|| above / below)
}
