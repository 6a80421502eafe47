//! The circuit breaker itself: which calls it lets through, and what their ends do to it. Pure; the database's clock is the
//! caller's.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// So many failures, none of which is followed by a success, open it.
    pub failures: i32,
    /// A failure that is older than this when the next one comes says nothing of today.
    pub window: SignedDuration,
    /// An open one lets nobody through for so long.
    pub open: SignedDuration,
    /// A probe without an end is given up after this time: its worker died. One that lives is cut off before.
    pub probe: SignedDuration,
    /// After so many failures in a row a failed probe pays like any other attempt: it may be the job's own fault, and a job
    /// that is alone behind its breaker would else wait for ever.
    pub patience: i32,
}

impl Rules {
    /// Five failures, each within a minute of the one before; half an hour of probes that cost nothing.
    #[must_use]
    pub fn new(open: Duration) -> Self {
        let open = SignedDuration::try_from(open).unwrap_or(SignedDuration::MAX);
        Self {
            failures: 5,
            window: SignedDuration::from_mins(1),
            open,
            probe: SignedDuration::from_mins(3),
            patience: 5 + 30,
        }
    }
}

/// A breaker's state. A closed set, which the schema knows by these names in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Calls go through.
    Closed,
    /// Nobody calls before then.
    Open(Timestamp),
    /// One call is under way, and decides; it is given up then.
    HalfOpen(Timestamp),
}

impl State {
    /// The names of all states: a metric label.
    pub const NAMES: [&'static str; 3] = ["closed", "open", "half_open"];

    /// Its name in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => Self::NAMES[0],
            Self::Open(_) => Self::NAMES[1],
            Self::HalfOpen(_) => Self::NAMES[2],
        }
    }

    /// When an open one lets a probe through, or a probe is given up.
    #[must_use]
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Closed => None,
            Self::Open(until) | Self::HalfOpen(until) => Some(until),
        }
    }
}

/// A breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Its state.
    pub state: State,
    /// Failures since the last success.
    pub failures: i32,
    /// The last of them.
    pub failed_at: Option<Timestamp>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, failures: 0, failed_at: None }
    }
}

/// What a breaker says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Go.
    Call,
    /// Go: you decide for all others.
    Probe,
    /// Not now.
    Refused,
}

impl Breaker {
    /// A call asks. The probe that it may become is the only one until its end, or until it is given up.
    #[must_use]
    pub fn admit(self, now: Timestamp, rules: &Rules) -> (Self, Admission) {
        match self.state {
            State::Closed => (self, Admission::Call),
            State::Open(until) | State::HalfOpen(until) if until <= now => {
                (Self { state: State::HalfOpen(later(now, rules.probe)), ..self }, Admission::Probe)
            }
            State::Open(_) | State::HalfOpen(_) => (self, Admission::Refused),
        }
    }

    /// A call ended well. Of those that began before it opened, none closes it: only its probe does.
    #[must_use]
    pub fn succeeded(self, was: Admission) -> Self {
        match (self.state, was) {
            (State::Closed, _) | (State::HalfOpen(_), Admission::Probe) => Self::default(),
            (State::Open(_) | State::HalfOpen(_), _) => self,
        }
    }

    /// A call ended, and says nothing of what stands behind it. Was it the probe, another one may follow at once.
    #[must_use]
    pub fn withdrawn(self, was: Admission, now: Timestamp) -> Self {
        match (self.state, was) {
            (State::HalfOpen(_), Admission::Probe) => Self { state: State::Open(now), ..self },
            _ => self,
        }
    }

    /// A call failed by the fault of what stands behind it.
    #[must_use]
    pub fn failed(self, was: Admission, now: Timestamp, rules: &Rules) -> Self {
        match (self.state, was) {
            (State::Closed, _) => {
                let is_old = self.failed_at.is_some_and(|at| later(at, rules.window) < now);
                let failures = if is_old { 1 } else { self.failures.saturating_add(1) };
                let state =
                    if failures >= rules.failures { State::Open(later(now, rules.open)) } else { State::Closed };
                Self { state, failures, failed_at: Some(now) }
            }
            (State::HalfOpen(_), Admission::Probe) => {
                let failures = self.failures.saturating_add(1);
                Self { state: State::Open(later(now, rules.open)), failures, failed_at: Some(now) }
            }
            (State::Open(_) | State::HalfOpen(_), _) => self,
        }
    }
}

impl Breaker {
    /// Whether a job whose call just failed, and left the breaker so, waits without cost. While it is closed, nobody does; and
    /// a probe doesn't for ever.
    #[must_use]
    pub fn spares(self, was: Admission, rules: &Rules) -> bool {
        self.state != State::Closed && (was != Admission::Probe || self.failures <= rules.patience)
    }
}

/// Times at the end of the calendar stay there.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::new(Duration::from_secs(60)));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn after_failures(count: i64) -> Breaker {
        (0..count).fold(Breaker::default(), |breaker, second| breaker.failed(Admission::Call, at(second), &RULES))
    }

    #[test]
    fn the_table() {
        let open = after_failures(5);
        let (half_open, _) = open.admit(at(64), &RULES);
        for (from, what, to) in [
            (Breaker::default(), Breaker::default().succeeded(Admission::Call), "closed"),
            (after_failures(4), after_failures(4), "closed"),
            (after_failures(4), after_failures(4).failed(Admission::Call, at(4), &RULES), "open"),
            (open, open.succeeded(Admission::Call), "open"),
            (open, open.failed(Admission::Call, at(30), &RULES), "open"),
            (open, open.admit(at(63), &RULES).0, "open"),
            (open, half_open, "half_open"),
            (half_open, half_open.succeeded(Admission::Call), "half_open"),
            (half_open, half_open.failed(Admission::Call, at(65), &RULES), "half_open"),
            (half_open, half_open.succeeded(Admission::Probe), "closed"),
            (half_open, half_open.withdrawn(Admission::Call, at(65)), "half_open"),
            (half_open, half_open.withdrawn(Admission::Probe, at(65)).admit(at(65), &RULES).0, "half_open"),
            (half_open, half_open.failed(Admission::Probe, at(65), &RULES), "open"),
        ] {
            assert_eq!(what.state.as_str(), to, "from {from:?}");
        }
        assert_eq!(open.state, State::Open(at(4 + 60)));
        assert_eq!(half_open.failed(Admission::Probe, at(65), &RULES).state, State::Open(at(125)));
    }

    #[test]
    fn a_late_end_of_an_earlier_call_does_not_stretch_the_pause() {
        let open = after_failures(5);
        assert_eq!(open.failed(Admission::Call, at(50), &RULES), open);
    }

    #[test]
    fn a_success_forgets_and_so_does_time() {
        let again = after_failures(4).succeeded(Admission::Call).failed(Admission::Call, at(5), &RULES);
        assert_eq!((again.failures, again.state), (1, State::Closed));
        let late = after_failures(4).failed(Admission::Call, at(3 + 61), &RULES);
        assert_eq!((late.failures, late.state), (1, State::Closed));
    }

    #[test]
    fn a_job_that_is_alone_behind_its_breaker_does_not_wait_for_ever() {
        let (mut breaker, mut now, mut spared) = (after_failures(5), 64, 0);
        loop {
            let (half_open, said) = breaker.admit(at(now), &RULES);
            assert_eq!(said, Admission::Probe);
            breaker = half_open.failed(said, at(now), &RULES);
            if !breaker.spares(said, &RULES) {
                break;
            }
            (now, spared) = (now + 60, spared + 1);
        }
        assert_eq!(spared, 30, "half an hour");
        assert!(breaker.spares(Admission::Call, &RULES), "one that was under way when it opened");
        assert!(!after_failures(1).spares(Admission::Call, &RULES), "it pays: nothing is open");
    }

    #[test]
    fn a_probe_whose_worker_died_is_given_up() {
        let (half_open, first) = after_failures(5).admit(at(64), &RULES);
        assert_eq!(first, Admission::Probe);
        assert_eq!(half_open.admit(at(64 + 179), &RULES).1, Admission::Refused);
        assert_eq!(half_open.admit(at(64 + 180), &RULES).1, Admission::Probe);
    }

    proptest! {
        /// An outage of any length, with a call each second: one probe a minute at most, and none once it is over.
        #[test]
        fn an_outage_gets_one_probe_a_minute(outage in 60i64..3_600, ends in 1i64..30) {
            let mut breaker = Breaker::default();
            let mut probes = Vec::new();
            let mut under_way: Option<i64> = None;
            for second in 0..outage {
                if let Some(end) = under_way && end <= second {
                    breaker = breaker.failed(Admission::Probe, at(second), &RULES);
                    under_way = None;
                }
                let (next, said) = breaker.admit(at(second), &RULES);
                breaker = next;
                match said {
                    Admission::Call => breaker = breaker.failed(Admission::Call, at(second), &RULES),
                    Admission::Probe => {
                        prop_assert!(under_way.is_none(), "two probes at once");
                        probes.push(second);
                        under_way = Some(second + ends);
                    }
                    Admission::Refused => {}
                }
            }
            prop_assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{:?}", probes);
            prop_assert!(probes.len() as i64 <= outage / 60 + 1);
        }

        /// Whatever happens in whatever order: a closed one has fewer failures than open it, and nothing goes from closed to half open.
        #[test]
        fn no_order_of_events_breaks_it(events in proptest::collection::vec((0u8..5, 0i64..100), 0..60)) {
            let (mut breaker, mut now) = (Breaker::default(), 0);
            for (what, wait) in events {
                now += wait;
                let before = breaker.state;
                breaker = match what {
                    0 => breaker.admit(at(now), &RULES).0,
                    1 => breaker.succeeded(Admission::Call),
                    2 => breaker.succeeded(Admission::Probe),
                    3 => breaker.failed(Admission::Call, at(now), &RULES),
                    _ => breaker.failed(Admission::Probe, at(now), &RULES),
                };
                prop_assert!(breaker.state != State::Closed || breaker.failures < RULES.failures);
                let leap = before == State::Closed && matches!(breaker.state, State::HalfOpen(_));
                prop_assert!(!leap);
            }
        }
    }
}
