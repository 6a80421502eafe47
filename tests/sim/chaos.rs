//! What goes wrong with one call. All of it drawn from the seed.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::Duration;

/// What becomes of a ledger call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerFate {
    /// Answered.
    Fine,
    /// Refused by the connection: nothing was written.
    Unavailable,
    /// A deadlock's victim: nothing was written.
    Repeat,
    /// No answer, and nothing was written.
    Lost,
    /// No answer, but it was written.
    Unknown,
    /// No answer, and it is written so much later.
    Late(Duration),
}

/// What becomes of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublishFate {
    /// Written and confirmed.
    Fine,
    /// Refused; it may be in the queue nevertheless.
    Nacked {
        /// It is.
        written: bool,
    },
    /// Returned as unroutable.
    Returned,
    /// In the queue twice.
    Twice,
    /// Confirmed, and gone: a queue that was deleted, an operator's purge.
    Vanished,
    /// Written, confirmed after so long: beyond the deadline nobody listens.
    SlowConfirm(Duration),
    /// No confirm, not written.
    Lost,
    /// No confirm, and written so much later.
    Late(Duration),
}

/// The dice. Quiet: nothing goes wrong any more.
pub(crate) struct Chaos {
    rng: StdRng,
    pub(crate) quiet: bool,
    /// Shares of calls that go wrong.
    ledger: f64,
    broker: f64,
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ 0xC0FF_EE00);
        // Every fourth seed has faithful calls on one side: then the events alone make the trouble.
        let ledger = if seed % 4 == 1 { 0.0 } else { rng.random_range(0.0..0.04) };
        let broker = if seed % 4 == 2 { 0.0 } else { rng.random_range(0.0..0.15) };
        Self { rng, quiet: false, ledger, broker }
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        !self.quiet && self.rng.random_bool(share)
    }

    pub(crate) fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.rng.random_range(range))
    }

    /// How long one direction of a round trip takes.
    pub(crate) fn latency(&mut self) -> Duration {
        if self.chance(0.02) { self.millis(100..2000) } else { self.millis(0..3) }
    }

    pub(crate) fn ledger(&mut self) -> LedgerFate {
        let share = self.ledger;
        if !self.chance(share) {
            return LedgerFate::Fine;
        }
        match self.rng.random_range(0..5) {
            0 => LedgerFate::Unavailable,
            1 => LedgerFate::Repeat,
            2 => LedgerFate::Lost,
            3 => LedgerFate::Unknown,
            // What a backend is still at when its client has given up: the server's own timeouts end it.
            _ => LedgerFate::Late(self.millis(0..20_000)),
        }
    }

    pub(crate) fn publish(&mut self) -> PublishFate {
        let share = self.broker;
        if !self.chance(share) {
            return PublishFate::Fine;
        }
        match self.rng.random_range(0..8) {
            0 => PublishFate::Nacked { written: self.rng.random() },
            1 => PublishFate::Returned,
            2 | 3 => PublishFate::Twice,
            4 => PublishFate::Vanished,
            5 => PublishFate::SlowConfirm(self.millis(0..40_000)),
            6 => PublishFate::Lost,
            _ => PublishFate::Late(self.millis(0..60_000)),
        }
    }
}
