use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const MS: Duration = Duration::from_millis(1);
const EVEN: f64 = 0.5; // no jitter

fn rules() -> Rules {
    Rules::new(500 * MS, 2, Duration::from_mins(2))
}

fn at(millisecond: u64) -> Timestamp {
    Timestamp::from_millisecond(1_000_000_000_000 + i64::try_from(millisecond).unwrap()).unwrap()
}

#[test]
fn the_first_goes_at_once_four_wait_their_turn_and_the_next_comes_later() {
    let (mut pace, mut said) = (Pace::default(), Vec::new());
    for _ in 0..6 {
        let (next, admission) = pace.admit(at(0), &rules(), EVEN);
        pace = next;
        said.push(admission);
    }
    let wait = |ms| Admission::Wait(ms * MS);
    let turns = [Admission::Go(1), wait(500), wait(1_000), wait(1_500), wait(2_000), Admission::Later(at(2_500))];
    assert_eq!(said, turns);
    assert_eq!(pace.admit(at(10_000), &rules(), EVEN).1, Admission::Go(2), "turns that nobody takes pass");
}

#[test]
fn a_turn_is_no_right_to_start_beside_too_many_or_too_early() {
    let (pace, _) = Pace::default().admit(at(0), &rules(), EVEN);
    assert_eq!(pace.clone().start(at(499), &rules(), EVEN).1, Admission::Wait(MS));
    let (pace, second) = pace.start(at(500), &rules(), EVEN);
    assert_eq!(second, Admission::Go(2));
    assert_eq!(pace.clone().start(at(1_000), &rules(), EVEN).1, Admission::Wait(250 * MS), "two are under way");
    let pace = pace.ended(1, Outcome::Good, 900 * MS, at(1_100), &rules());
    assert_eq!(pace.start(at(1_100), &rules(), EVEN).1, Admission::Go(3));
}

#[test]
fn jitter_moves_each_start_by_a_fifth_at_most() {
    for (draw, free) in [(0.0, 400), (EVEN, 500), (1.0, 600)] {
        assert_eq!(Pace::default().admit(at(0), &rules(), draw).0.free_at, at(free));
    }
}

#[test]
fn a_slow_answer_makes_it_slower_and_good_ones_faster_by_a_tenth_each() {
    let ended = |pace: Pace, took| pace.ended(0, Outcome::Good, took, at(0), &rules());
    let mut pace = ended(Pace::default(), Duration::from_secs(5));
    assert_eq!(pace.spacing, Duration::from_secs(5));
    pace = ended(pace, MS);
    assert_eq!(pace.spacing, Duration::from_millis(4_500));
    for _ in 0..21 {
        pace = ended(pace, MS);
    }
    assert_eq!(pace.spacing, 500 * MS, "and never faster than the rules");
    assert_eq!(ended(pace, Duration::from_hours(1)).spacing, Duration::from_mins(1), "nor slower than a minute");
}

#[test]
fn a_refusal_doubles_the_spacing_and_closes_for_as_long_as_it_says() {
    let refused = |pace: Pace, after| pace.ended(0, Outcome::Refused(after), MS, at(0), &rules());
    let day = Duration::from_hours(24);
    for (after, free) in [
        (None, Duration::from_secs(1)),
        (Some(Duration::from_secs(90)), Duration::from_secs(90)),
        (Some(Duration::ZERO), Duration::from_secs(1)),
        (Some(Duration::MAX), day),
    ] {
        let pace = refused(Pace::default(), after);
        assert_eq!((pace.spacing, pace.free_at), (Duration::from_secs(1), later(at(0), free)), "{after:?}");
        assert!(!matches!(pace.clone().admit(at(999), &rules(), EVEN).1, Admission::Go(_)));
        assert!(!matches!(pace.start(at(999), &rules(), EVEN).1, Admission::Go(_)), "whoever had a turn has none");
    }
    let mut pace = Pace::default();
    for _ in 0..20 {
        pace = refused(pace, None);
    }
    assert_eq!(pace.spacing, Duration::from_mins(1));
    let unavailable = Pace::default().ended(0, Outcome::Failed(Some(7_000 * MS)), MS, at(0), &rules());
    assert_eq!((unavailable.spacing, unavailable.free_at), (500 * MS, at(7_000)), "as does a server's error");
}

#[test]
fn six_hours_of_refusals_cost_nothing_and_then_each_pays() {
    let hour = 3_600_000;
    let refused = |pace: Pace, now| pace.ended(0, Outcome::Refused(None), MS, now, &rules());
    let pace = refused(refused(Pace::default(), at(0)), at(5 * hour));
    assert!(pace.spares(at(5 * hour), &rules()));
    let pace = refused(pace, at(6 * hour));
    assert!(!pace.spares(at(6 * hour), &rules()));
    let good = pace.ended(0, Outcome::Good, MS, at(6 * hour), &rules());
    assert!(good.spares(at(6 * hour), &rules()), "one good answer, and it begins anew");
}

#[test]
fn the_place_of_a_worker_that_died_is_free_after_the_longest_call() {
    let one = Rules { concurrency: 1, ..rules() };
    let (pace, _) = Pace::default().admit(at(0), &one, EVEN);
    assert!(matches!(pace.clone().start(at(119_999), &one, EVEN).1, Admission::Wait(_)));
    let (pace, said) = pace.start(at(120_000), &one, EVEN);
    assert_eq!(said, Admission::Go(2));
    let late = pace.ended(1, Outcome::Good, MS, at(120_001), &one);
    assert_eq!(late.going.len(), 1, "an end that comes too late frees no other's place");
}

/// One who asks: when he asks next, and whether he has a turn.
type Asker = (u64, bool);

proptest! {
    /// Many ask at random times, answers take any time and are of any kind, some never come: no two starts are nearer than the
    /// spacing less its jitter, no more are under way than allowed, and the spacing stays within its bounds.
    #[test]
    fn nothing_that_answers_do_breaks_the_law(
        askers in proptest::collection::vec(0u64..5_000, 1..40),
        ends in proptest::collection::vec((0u8..6, 0u64..4_000, 0u64..5_000), 40),
        draws in proptest::collection::vec(0.0f64..1.0, 40),
    ) {
        let rules = Rules { limit: 10_000 * MS, ..rules() };
        let mut waiting: Vec<Asker> = askers.into_iter().map(|time| (time, false)).collect();
        let mut under_way: BTreeMap<(u64, i64), (Outcome, u64)> = BTreeMap::new();
        let (mut pace, mut starts, mut step) = (Pace::default(), Vec::<u64>::new(), 0);
        while let Some(index) = (0..waiting.len()).min_by_key(|&index| waiting[index]) {
            step += 1;
            prop_assert!(step < 20_000, "it never ends");
            let (now, has_turn) = waiting.swap_remove(index);
            while let Some((&(end, name), &(outcome, took))) = under_way.first_key_value() && end <= now {
                under_way.pop_first();
                pace = pace.ended(name, outcome, took as u32 * MS, at(end), &rules);
                prop_assert!(pace.spacing >= rules.spacing && pace.spacing <= rules.slowest);
            }
            let draw = draws[starts.len() % draws.len()];
            let (next, said) =
                if has_turn { pace.start(at(now), &rules, draw) } else { pace.admit(at(now), &rules, draw) };
            pace = next;
            prop_assert!(pace.going.len() <= rules.concurrency);
            match said {
                Admission::Go(name) => {
                    if let Some(last) = starts.last() {
                        prop_assert!(now - last >= 400, "{} after {}", now, last);
                    }
                    let (kind, took, after) = ends[starts.len() % ends.len()];
                    starts.push(now);
                    let after = Some(after as u32 * MS);
                    let outcome = match kind {
                        0 | 1 => Outcome::Good,
                        2 => Outcome::Refused(after),
                        3 => Outcome::Failed(after),
                        4 => Outcome::Unasked,
                        _ => continue, // its worker died
                    };
                    under_way.insert((now + took, name), (outcome, took));
                }
                Admission::Wait(wait) => {
                    prop_assert!(!wait.is_zero());
                    waiting.push((now + u64::try_from(wait.as_millis()).unwrap().max(1), true));
                }
                Admission::Later(when) => {
                    prop_assert!(when > at(now));
                    waiting.push((now + 1_000, false));
                }
            }
        }
    }

    /// However bad it was, good answers bring the spacing back.
    #[test]
    fn it_recovers(bad in proptest::collection::vec((any::<bool>(), 0u64..100_000), 0..50)) {
        let mut pace = Pace::default();
        for (is_refused, took) in bad {
            let outcome = if is_refused { Outcome::Refused(None) } else { Outcome::Failed(None) };
            pace = pace.ended(0, outcome, took as u32 * MS, at(0), &rules());
        }
        for _ in 0..46 {
            pace = pace.ended(0, Outcome::Good, MS, at(0), &rules());
        }
        prop_assert_eq!(pace.spacing, rules().spacing);
        prop_assert_eq!(pace.refused_since, None);
    }
}
