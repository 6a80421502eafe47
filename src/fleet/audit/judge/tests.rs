use super::*;
use crate::fleet::{
    job::{Band, JobId},
    ledger::audit::{AuditedWorker, Holding},
};

const LANE: &str = "default";

fn worker(beat: i64, slots: i64) -> AuditedWorker {
    AuditedWorker { beat, slots, lanes: vec![LANE.into()], kinds: vec!["plain".into()], takes_work: true }
}

fn band(messages: i64, ready: i64) -> BandLook {
    BandLook { messages, ready: Some(ready), route: Route::There, proven: true, ..BandLook::default() }
}

/// A fleet of one worker at work, with an empty broker.
fn healthy(beat: i64) -> Look {
    let bands = Band::ALL.map(|each| ((LANE.to_owned(), each), band(0, 0)));
    Look {
        generation: 1,
        bands: bands.into(),
        workers: [(7, worker(beat, 4))].into(),
        held: [(7, Holding { messages: 4, jobs: 4 })].into(),
        dead_depth: Some(0),
        ..Look::default()
    }
}

fn both(change: impl Fn(&mut Look)) -> Verdict {
    let (mut before, mut now) = (healthy(1), healthy(6));
    change(&mut before);
    change(&mut now);
    judge(&before, &now)
}

fn once(change: impl Fn(&mut Look)) -> [Verdict; 2] {
    [(1, true), (6, false)].map(|(_, first)| {
        let (mut before, mut now) = (healthy(1), healthy(6));
        change(if first { &mut before } else { &mut now });
        judge(&before, &now)
    })
}

fn normal(look: &mut Look) -> &mut BandLook {
    look.bands.get_mut(&(LANE.to_owned(), Band::Normal)).expect("every band is there")
}

fn head(jobs: &[i64]) -> Vec<Pointer> {
    jobs.iter().map(|id| Pointer(JobId(*id), 0)).collect()
}

/// Seen in both looks it counts, seen in one it may have been on its way.
fn only_in_both(class: Class, expected: u64, change: impl Fn(&mut Look)) {
    let verdict = both(&change);
    assert_eq!((verdict.count(class), verdict.unaccounted()), (expected, expected), "{class:?}");
    assert!(!verdict.accounted);
    for verdict in once(&change) {
        assert!(verdict.accounted, "{class:?} by one look: {verdict:?}");
    }
}

#[test]
fn a_fleet_at_work_is_accounted_for() {
    assert_eq!(both(|_| {}), Verdict { accounted: true, ..Verdict::default() });
}

#[test]
fn what_one_look_alone_shows_is_not_believed() {
    only_in_both(Class::Missing, 3, |look| normal(look).lacking = [(10, 1), (11, 2)].into());
    only_in_both(Class::Ghost, 5, |look| *normal(look) = band(2, 7));
    only_in_both(Class::Double, 1, |look| look.doubles = 1);
    only_in_both(Class::DeadLetterDrift, 2, |look| look.dead = 2);
    only_in_both(Class::DeadLetterDrift, 3, |look| look.dead_depth = Some(3));
    only_in_both(Class::Orphaned, 1, |look| look.orphaned = head(&[5]));
    only_in_both(Class::StaleLease, 9, |look| {
        look.held.insert(8, Holding { messages: 3, jobs: 9 });
    });
    only_in_both(Class::Unrouted, 1, |look| {
        *normal(look) = BandLook { route: Route::Missing, ..BandLook::default() };
    });
}

#[test]
fn messages_that_were_in_a_workers_hands_are_not_missing() {
    let (mut before, mut now) = (healthy(1), healthy(6));
    normal(&mut before).lacking = [(10, 1), (11, 1)].into();
    normal(&mut now).lacking = [(11, 1), (12, 1)].into();
    assert_eq!(judge(&before, &now).missing, 1);
}

#[test]
fn a_heart_that_stands_still_makes_a_lease_stale() {
    let verdict = judge(&healthy(6), &healthy(6));
    assert_eq!(verdict.stale_lease, 4);
    assert!(judge(&healthy(6), &healthy(7)).accounted);
}

#[test]
fn a_line_is_passed_over_only_where_slots_are_free_and_the_head_stands() {
    let line = |jobs: &[i64], held: i64| {
        let mut look = healthy(jobs[0] + held);
        look.heads.insert(LANE.into(), head(jobs));
        look.held = [(7, Holding { messages: held, jobs: held })].into();
        look
    };
    assert_eq!(judge(&line(&[1, 2, 3], 1), &line(&[1, 2, 9], 2)).forgotten, 2);
    assert_eq!(judge(&line(&[1, 2, 3], 1), &line(&[2, 3, 9], 2)).forgotten, 0, "it moves");
    assert_eq!(judge(&line(&[1, 2, 3], 4), &line(&[1, 2, 3], 3)).forgotten, 0, "no slot was free");
    let mut silent = line(&[1, 2], 0);
    silent.workers = [(7, worker(4, 4))].into();
    silent.held.clear();
    assert_eq!(judge(&silent, &silent).forgotten, 0, "nobody lives");
}

#[test]
fn a_jobs_number_decides_how_much_is_unrouted() {
    let verdict = both(|look| *normal(look) = BandLook { route: Route::Missing, due: 40, ..BandLook::default() });
    assert_eq!(verdict.unrouted, 40);
}

#[test]
fn what_the_broker_does_not_tell_is_unjudged_and_not_accounted_for() {
    let away = |look: &mut Look| {
        look.dead_depth = None;
        for band in look.bands.values_mut() {
            *band = BandLook { messages: 3, ..BandLook::default() };
        }
    };
    let verdict = both(away);
    assert_eq!(verdict.unjudged, ["missing", "ghost", "unrouted", "dead_letter_drift"]);
    assert!(!verdict.accounted && verdict.unaccounted() == 0);
    let never = both(|look| {
        away(look);
        (look.generation, look.bands) = (0, std::collections::BTreeMap::new());
    });
    assert!(never.accounted, "a fleet without a broker has nothing there");
}
