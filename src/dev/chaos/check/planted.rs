//! Evidence of a small, faultless run, into which tests plant what must be found.

use crate::dev::chaos::{
    evidence::{Accepted, AttemptRow, Call, EffectRow, End, Event, Evidence, JobRow, Rescues, Run, Sample, What},
    kinds::{EFFECT, EXTERNAL, FAIL_ALWAYS, KILL, OK, REFUSE},
    samples as s,
    witness::{Deed, Line},
};
use serde_json::json;

pub(super) const PLAIN: i64 = 1;
pub(super) const WRITES: i64 = 2;
pub(super) const CALLS: i64 = 3;
pub(super) const DEAD: i64 = 4;
pub(super) const REFUSED: i64 = 5;
pub(super) const DEADLY: i64 = 6;

pub(super) fn line(at_us: u64, job: i64, epoch: i32, deed: Deed) -> Line {
    Line { at_us, pid: 1, job, epoch, attempt: 1, kind: String::new(), deed }
}

/// The job's run at an epoch: from `at` for 10 µs.
pub(super) fn run(at: u64, job: i64, epoch: i32, deed: Deed) -> [Line; 2] {
    [line(at, job, epoch, Deed::Start), line(at + 10, job, epoch, deed)]
}

pub(super) fn attempt(job_id: i64, epoch: i32, outcome: &str) -> AttemptRow {
    AttemptRow { job_id, epoch, outcome: outcome.into() }
}

pub(super) fn recovered(class: &str, seconds: f64) -> [Event; 2] {
    let event = |event, seconds| Event {
        seed: 1,
        step: 1,
        at_us: 1,
        wall: String::new(),
        event,
        class: class.into(),
        seconds,
        detail: json!({"confirms_cut": 1}),
    };
    [event(What::Healed, None), event(What::Recovered, Some(seconds))]
}

/// One job of each sort that ends differently; the faults have bitten.
pub(super) fn faultless() -> Evidence {
    let mut all = Evidence { run: Run { seed: 7, minutes: 2.0, short: true }, ..Evidence::default() };
    let mut add = |id, kind: &str, status: &str, epoch, (failures, losses)| {
        all.accepted.push(Accepted { id, kind: kind.into(), ms: 0, priority: 100 });
        let (kind, status) = (kind.to_owned(), status.to_owned());
        all.jobs.insert(id, JobRow { id, kind, status, epoch, failures, losses });
    };
    add(PLAIN, OK, "completed", 3, (0, 0));
    add(WRITES, EFFECT, "completed", 3, (0, 0));
    add(CALLS, EXTERNAL, "completed", 3, (0, 0));
    add(DEAD, FAIL_ALWAYS, "dead_letter", 9, (3, 0));
    add(REFUSED, REFUSE, "failed", 3, (0, 0));
    add(DEADLY, KILL, "dead_letter", 15, (0, 5));
    let mut first = Vec::new();
    for (at, id) in [(0, PLAIN), (5, WRITES), (30, CALLS)] {
        first.extend(run(at, id, 2, Deed::Ok));
    }
    for (at, epoch) in [(50, 2), (70, 5), (90, 8)] {
        first.extend(run(at, DEAD, epoch, Deed::Error));
        all.attempts.push(attempt(DEAD, epoch, if epoch == 8 { "dead_letter" } else { "retry" }));
    }
    first.extend(run(110, REFUSED, 2, Deed::Refusal));
    all.witnesses.push(first);
    for (index, epoch) in [2, 5, 8, 11, 14].into_iter().enumerate() {
        all.witnesses.push(run(200 + 100 * index as u64, DEADLY, epoch, Deed::Kill).to_vec());
        all.attempts.push(attempt(DEADLY, epoch, "lost"));
    }
    all.effects.push(EffectRow { job_id: WRITES, epoch: 2 });
    // The same call twice with one key: its receiver can tell.
    for at_us in [31, 33] {
        all.calls.push(Call { at_us, key: Some("3/call".into()), job: CALLS });
    }
    all.rescues =
        [("R1", 1), ("R2", 1), ("R3", 1), ("R4", 3)].map(|(rule, jobs)| Rescues { rule: rule.into(), jobs }).to_vec();
    let counters = [(s::R6, 1.0), (s::FENCED, 2.0), (s::UNKNOWN_COMMITS, 1.0), (s::UNKNOWN_PUBLISHES, 4.0)];
    let counters = counters.map(|(name, value)| (name.to_owned(), value)).into();
    all.samples.push(Sample { at_us: 0, member: "worker-1".into(), pid: 1, rss: 0, counters });
    all.events.extend(recovered("kill_worker", 1.5));
    all.events.extend(recovered("purge", 12.0));
    all.end = End { settled_seconds: Some(3.0), in_flight: 0, dead_letters: 2, dead_depth: Some(2) };
    all
}
