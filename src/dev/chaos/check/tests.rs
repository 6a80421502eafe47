//! A checker that finds nothing proves nothing: each thing that must not be is planted and found.

use super::{planted::*, *};
use crate::dev::chaos::{
    evidence::{Accepted, Call, Cancelled, EffectRow, Evidence, Sample, What},
    kinds::{BUSY, OK},
    samples as s,
    witness::{Deed, Line},
};

fn changed(change: impl FnOnce(&mut Evidence)) -> Verdict {
    let mut evidence = faultless();
    change(&mut evidence);
    judge(&evidence)
}

/// (lost, double, false dead letters) after a change.
#[track_caller]
fn finds(expected: (u64, u64, u64), why: &str, change: impl FnOnce(&mut Evidence)) {
    let verdict = changed(change);
    let found = &verdict.found;
    assert_eq!((verdict.lost, verdict.double, verdict.false_dead_letters), expected, "{why}: {found:?}");
    let words = format!("{found:?}");
    assert!(words.contains(why), "{why:?} in {words}");
    assert!(verdict.is_broken());
}

fn status(evidence: &mut Evidence, job: i64, status: &str) {
    evidence.jobs.get_mut(&job).unwrap().status = status.into();
}

#[test]
fn a_faultless_run_is_faultless_and_its_line_is_the_promised_one() {
    let verdict = judge(&faultless());
    assert_eq!(
        (verdict.lost, verdict.double, verdict.false_dead_letters, verdict.void),
        (0, 0, 0, false),
        "{verdict:?}"
    );
    assert_eq!((verdict.completed, verdict.failed, verdict.dead_letter, verdict.accepted), (3, 1, 2, 6));
    assert_eq!((verdict.recovered_publishes, verdict.fenced, verdict.reaped), (2, 2, 3));
    assert!(
        (verdict.recovery_seconds.max - 1.5).abs() < 1e-9 && (verdict.recovery_seconds_purge.max - 12.0).abs() < 1e-9
    );
    let line = serde_json::to_string(&verdict).unwrap();
    let keys = [
        "seed",
        "minutes",
        "accepted",
        "completed",
        "failed",
        "dead_letter",
        "cancelled",
        "lost",
        "double",
        "false_dead_letters",
        "recovered_publishes",
        "duplicates_dropped",
        "fenced",
        "reaped",
        "direct_leases",
        "faults",
        "recovery_seconds",
        "recovery_seconds_purge",
        "rss_mib_slope_per_minute",
        "void",
    ];
    let mut at = 0;
    for key in keys {
        let found = line[at..].find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} in its place in {line}"));
        at += found;
    }
    assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap().as_object().unwrap().len(), keys.len());
}

#[test]
fn lost_jobs() {
    finds((1, 0, 0), "does not know it", |e| drop(e.jobs.remove(&PLAIN)));
    finds((1, 0, 0), "still processing", |e| status(e, PLAIN, "processing"));
    finds((1, 0, 0), "nobody asked", |e| status(e, PLAIN, "cancelled"));
    finds((1, 0, 0), "never said so", |e| status(e, PLAIN, "failed"));
    finds((1, 0, 0), "no run of epoch 4 ended well", |e| e.jobs.get_mut(&PLAIN).unwrap().epoch = 5);
    finds((1, 0, 0), "which its kind can't", |e| status(e, DEAD, "completed"));
    finds((1, 0, 0), "without its call", |e| e.calls.clear());
    finds((1, 0, 0), "without its effect", |e| e.effects.clear());
}

#[test]
fn a_cancel_that_was_asked_for_is_no_loss() {
    let verdict = changed(|e| {
        status(e, PLAIN, "cancelled");
        e.cancelled.push(Cancelled { id: PLAIN });
    });
    assert_eq!((verdict.lost, verdict.cancelled), (0, 1));
}

#[test]
fn doubled_jobs() {
    finds((0, 1, 0), "2 effects", |e| e.effects.push(EffectRow { job_id: WRITES, epoch: 2 }));
    finds((0, 1, 0), "did not complete it", |e| e.effects[0].epoch = 5);
    finds((1, 1, 0), "without a completion", |e| status(e, WRITES, "pending"));
    finds((0, 1, 0), "without a key", |e| e.calls.push(Call { at_us: 40, key: None, job: CALLS }));
    finds((0, 1, 0), "2 keys", |e| e.calls.push(Call { at_us: 40, key: Some("other".into()), job: CALLS }));
    finds((0, 1, 0), "epoch 2 ran twice", |e| e.witnesses.push(run(500, PLAIN, 2, Deed::Ok).to_vec()));
    finds((0, 1, 0), "overlap", |e| {
        e.witnesses.push(run(4, PLAIN, 1, Deed::Error).to_vec());
        e.attempts.push(attempt(PLAIN, 1, "retry"));
    });
}

#[test]
fn a_run_that_overlaps_and_does_not_count_is_the_fences_work() {
    let verdict = changed(|e| {
        e.witnesses.push(run(4, PLAIN, 1, Deed::Ok).to_vec());
        e.attempts.push(attempt(PLAIN, 1, "lost"));
    });
    assert!(!verdict.is_broken(), "{:?}", verdict.found);
}

#[test]
fn false_dead_letters() {
    finds((0, 0, 1), "0 of its runs failed", |e| status(e, PLAIN, "dead_letter"));
    finds((0, 0, 1), "2 of its runs failed", |e| e.witnesses[0].retain(|line| (line.job, line.epoch) != (DEAD, 8)));
    finds((0, 0, 1), "2 booked", |e| e.jobs.get_mut(&DEAD).unwrap().failures = 2);
    finds((0, 0, 1), "4 booked", |e| e.jobs.get_mut(&DEADLY).unwrap().losses = 4);
    finds((0, 0, 1), "4 were lost", |e| e.attempts.retain(|row| (row.job_id, row.epoch) != (DEADLY, 14)));
    // Another job ran beside its third victim.
    finds((0, 0, 1), "not alone", |e| {
        let beside = run(405, 99, 2, Deed::Ok);
        e.witnesses[3].extend(beside);
    });
}

#[test]
fn a_deaf_handler_whose_deadline_is_over_holds_no_row() {
    let beside = |began| {
        [line(began, 99, 2, Deed::Start), line(2_500_000, 99, 2, Deed::Dropped)]
            .map(|l| Line { kind: BUSY.into(), ..l })
    };
    let with = |began| {
        changed(|e| {
            // The third victim begins and ends late enough for a deadline to be over by then.
            e.witnesses[3].iter_mut().for_each(|line| line.at_us += 2_000_100);
            e.witnesses[3].extend(beside(began));
        })
    };
    assert_eq!(with(0).false_dead_letters, 0);
    assert_eq!(with(1_000).false_dead_letters, 1);
}

#[test]
fn company_in_the_first_two_losses_is_none_of_its_business() {
    let verdict = changed(|e| e.witnesses[1].extend(run(205, 99, 2, Deed::Ok)));
    assert!(!verdict.is_broken(), "{:?}", verdict.found);
}

#[test]
fn a_run_whose_faults_did_not_bite_is_void() {
    for rule in ["R1", "R2", "R3"] {
        let verdict = changed(|e| e.rescues.retain(|rescues| rescues.rule != rule));
        assert!(verdict.void && verdict.found.missing == [rule] && !verdict.is_broken(), "{:?}", verdict.found);
    }
    let verdict = changed(|e| e.rescues[3].jobs = 2);
    assert_eq!(verdict.found.missing, ["three reaped"]);
    for (name, what) in [
        (s::R6, "R6"),
        (s::FENCED, "fenced"),
        (s::UNKNOWN_COMMITS, "commit unknown"),
        (s::UNKNOWN_PUBLISHES, "publish unknown"),
    ] {
        let verdict = changed(|e| e.samples[0].counters.retain(|counter, _| counter != name));
        assert_eq!(verdict.found.missing, [what]);
    }
}

#[test]
fn counters_are_summed_over_the_lives_of_a_member() {
    let verdict = changed(|e| {
        let sample = |pid, value| Sample {
            at_us: 1,
            member: "worker-1".into(),
            pid,
            rss: 0,
            counters: [(s::DUPLICATES.to_owned(), value)].into(),
        };
        e.samples.extend([sample(1, 5.0), sample(1, 7.0), sample(2, 3.0)]);
    });
    assert_eq!(verdict.duplicates_dropped, 10);
}

#[test]
fn memory_is_one_slope_over_processes_of_different_sizes() {
    assert_eq!(judge(&faultless()).rss_mib_slope_per_minute, None);
    let verdict = changed(|e| {
        for (pid, base) in [(1, 100), (2, 300)] {
            for second in 0..120_u64 {
                // Two MiB a minute, after a steep beginning.
                let grown =
                    if second < 15 { second * 1024 * 1024 } else { 20 * 1024 * 1024 + second * 2 * 1024 * 1024 / 60 };
                // Frozen for a while, it loses pages, which come back.
                let taken = if (45..50).contains(&second) { 30 * 1024 * 1024 } else { 0 };
                let rss = base * 1024 * 1024 + grown - taken;
                let (at_us, member) = (second * 1_000_000, "worker-1".to_owned());
                e.samples.push(Sample { at_us, member, pid, rss, counters: [].into() });
            }
        }
    });
    let slope = verdict.rss_mib_slope_per_minute.unwrap();
    assert!((slope - 2.0).abs() < 0.05, "{slope}");
}

#[test]
fn what_does_not_go_on_or_come_to_rest_is_broken() {
    let stuck = |why: &str, change: fn(&mut Evidence)| {
        let verdict = changed(change);
        assert!(
            verdict.is_broken() && verdict.found.stuck.len() == 1 && verdict.found.stuck[0].contains(why),
            "{verdict:?}"
        );
    };
    stuck("180 s after kill_worker", |e| {
        let worst = e.events.iter_mut().find(|event| event.event == What::Recovered).unwrap();
        (worst.event, worst.seconds) = (What::NotRecovered, Some(180.0));
    });
    stuck("jobs were still open", |e| e.end.settled_seconds = None);
    stuck("3 messages were still in flight", |e| e.end.in_flight = 3);
    stuck("docket.dead held 3 of 2", |e| e.end.dead_depth = Some(3));
    stuck("an unknown number", |e| e.end.dead_depth = None);
}

#[test]
fn a_fault_that_could_not_be_made_is_void() {
    let verdict = changed(|e| {
        let healed = e.events.iter_mut().find(|event| event.event == What::Healed).unwrap();
        (healed.event, healed.detail) = (What::Failed, serde_json::json!({"error": "no such queue"}));
    });
    assert!(verdict.void && verdict.found.missing == ["kill_worker (\"no such queue\")"], "{:?}", verdict.found);
}

#[test]
fn what_the_fence_refused_explains_nothing() {
    finds((1, 0, 0), "never said so", |e| e.jobs.get_mut(&REFUSED).unwrap().epoch = 6);
    finds((0, 0, 1), "2 of its runs failed", |e| {
        e.attempts.iter_mut().find(|attempt| attempt.job_id == DEAD).unwrap().outcome = "lost".into();
    });
}

#[test]
fn an_unknown_job_is_lost_once() {
    finds((1, 0, 0), "does not know it", |e| {
        e.accepted.push(Accepted { id: 77, kind: OK.into(), ms: 0, priority: 100 });
    });
}
