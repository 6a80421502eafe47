//! The pace itself: who may start now, who waits, and what an answer changes. Pure; the database's clock is the caller's.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How one key may be asked. The key's own answers make it slower than this, never faster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Between the starts of two calls, more than zero.
    pub spacing: Duration,
    /// Calls under way at once.
    pub concurrency: usize,
    /// Part of the spacing by which each one is longer or shorter, so that no two fleets fall into step.
    pub jitter: f64,
    /// No answer makes the spacing longer than this.
    pub slowest: Duration,
    /// Who says "come back in a year" is asked again after this.
    pub longest_closed: Duration,
    /// A turn so far away is slept for; who would wait longer comes back later.
    pub wait: Duration,
    /// A call without an end is given up after this time: its worker died. It must be longer than any call.
    pub limit: Duration,
    /// Refusals cost nothing for so long. After that a refused call pays like any other failure: what refuses for hours may
    /// refuse for ever.
    pub patience: Duration,
}

impl Rules {
    /// Rules with this spacing and concurrency, for calls that end within `longest_call`.
    #[must_use]
    pub const fn new(spacing: Duration, concurrency: usize, longest_call: Duration) -> Self {
        Self {
            spacing,
            concurrency,
            jitter: 0.2,
            slowest: Duration::from_mins(1),
            longest_closed: Duration::from_hours(24),
            // Cheaper than a release and a claim, and short enough that a slot is not lost to others: at the usual spacing
            // it is four sleepers a key.
            wait: Duration::from_secs(2),
            limit: longest_call,
            patience: Duration::from_hours(6),
        }
    }
}

/// A call under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its name.
    pub name: i64,
    /// When it is given up.
    pub until: Timestamp,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Good,
    /// With "too many requests", and perhaps how long to stay away.
    Refused(Option<Duration>),
    /// Without an answer or with a server's error, and perhaps how long to stay away.
    Failed(Option<Duration>),
    /// It was not made.
    Unasked,
}

/// A pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two starts, as the last answers have made it.
    pub spacing: Duration,
    /// Nobody starts before.
    pub free_at: Timestamp,
    /// The turns until then are given away. They need no list: a turn that nobody takes passes.
    pub turn_at: Timestamp,
    /// Who is under way.
    pub going: Vec<Start>,
    /// Starts so far.
    pub starts: i64,
    /// The first refusal that no good answer followed.
    pub refused_since: Option<Timestamp>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            spacing: Duration::ZERO,
            free_at: Timestamp::UNIX_EPOCH,
            turn_at: Timestamp::UNIX_EPOCH,
            going: Vec::new(),
            starts: 0,
            refused_since: None,
        }
    }
}

/// What a pace says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Go, under this name.
    Go(i64),
    /// Ask again after this time, by [`Pace::start`].
    Wait(Duration),
    /// Not before then.
    Later(Timestamp),
}

/// Between two looks of one whose turn has come while all places are taken.
const SHORTEST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_LOOK: Duration = Duration::from_millis(500);

impl Pace {
    /// Somebody new asks. `draw` in 0..1 is the jitter of this start.
    #[must_use]
    pub fn admit(mut self, now: Timestamp, rules: &Rules, draw: f64) -> (Self, Admission) {
        let turn = now.max(self.free_at).max(self.turn_at);
        let wait = between(now, turn);
        if wait > rules.wait {
            return (self, Admission::Later(turn));
        }
        self.turn_at = later(turn, self.spacing(rules));
        if wait.is_zero() { self.start(now, rules, draw) } else { (self, Admission::Wait(wait)) }
    }

    /// Somebody asks again whose turn has come. Turns are promises, and this is the law: nobody starts too near to the last
    /// one, while the key is closed, or beside too many others.
    #[must_use]
    pub fn start(mut self, now: Timestamp, rules: &Rules, draw: f64) -> (Self, Admission) {
        self.going.retain(|start| start.until > now);
        if now < self.free_at {
            let wait = between(now, self.free_at);
            return (self, Admission::Wait(wait));
        }
        let spacing = self.spacing(rules);
        if self.going.len() >= rules.concurrency {
            return (self, Admission::Wait((spacing / 2).clamp(SHORTEST_LOOK, LONGEST_LOOK)));
        }
        self.starts = self.starts.wrapping_add(1);
        self.free_at = later(now, spacing.mul_f64(1.0 + rules.jitter * (2.0 * draw - 1.0)));
        self.going.push(Start { name: self.starts, until: later(now, rules.limit) });
        let name = self.starts;
        (self, Admission::Go(name))
    }

    /// A call ended after this time. One that was given up before has no place to free, and tells of the key all the same.
    #[must_use]
    pub fn ended(mut self, name: i64, outcome: Outcome, took: Duration, now: Timestamp, rules: &Rules) -> Self {
        self.going.retain(|start| start.name != name && start.until > now);
        let spacing = self.spacing(rules);
        match outcome {
            Outcome::Good => {
                self.spacing = spacing.mul_f64(0.9).max(took);
                self.refused_since = None;
            }
            Outcome::Refused(after) => {
                self.spacing = spacing.saturating_mul(2);
                let closed = after.unwrap_or_default().min(rules.longest_closed);
                self.close(later(now, closed.max(self.spacing(rules))));
                self.refused_since.get_or_insert(now);
            }
            Outcome::Failed(after) => {
                self.spacing = spacing.max(took);
                if let Some(after) = after {
                    self.close(later(now, after.min(rules.longest_closed)));
                }
            }
            Outcome::Unasked => {}
        }
        self.spacing = self.spacing(rules);
        self
    }

    /// Whether a call that was just refused waits without cost.
    #[must_use]
    pub fn spares(&self, now: Timestamp, rules: &Rules) -> bool {
        self.refused_since.is_none_or(|since| between(since, now) < rules.patience)
    }

    fn close(&mut self, until: Timestamp) {
        self.free_at = self.free_at.max(until);
    }

    /// Within the bounds of today's rules, which may be others than those of the last answer.
    fn spacing(&self, rules: &Rules) -> Duration {
        self.spacing.min(rules.slowest).max(rules.spacing)
    }
}

/// None is negative.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Times at the end of the calendar stay there.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
