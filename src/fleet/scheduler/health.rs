//! Whether a band's publishes come back. Pure: the caller brings the time.

use crate::fleet::{job::Band, ports::PublishOutcome, settings::Protocol};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};
use tokio::time::Instant;

/// One band of one lane.
#[derive(Debug, Default)]
struct BandHealth {
    next: u64,
    /// Publishes without an answer.
    open: BTreeMap<u64, Instant>,
    /// One was refused or ended unknown, and none was confirmed since.
    doubtful: bool,
    /// One was returned, which nobody has acted on yet.
    returned: bool,
    confirmed: Option<Instant>,
    probed: Option<Instant>,
    /// A proof was wanted since then, again and again, and nothing was confirmed.
    silent: Option<Instant>,
    wanted: Option<Instant>,
}

/// What to do before a queue's count may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// A publish was confirmed lately: count.
    Fresh,
    /// Send a probe, and look again later.
    Probe,
    /// A probe is on its way, or was sent lately.
    Wait,
    /// Probes have been unanswered, or could not be sent, for so long that no count is needed.
    Silent,
}

/// What the last answers say of a band's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nothing leads to it: a publish was returned.
    Gone,
    /// A publish was confirmed since the last sweep.
    Here,
    /// Nothing.
    Unknown,
}

/// All bands, shared by the dispatchers and R3. Bounded by the configured lanes.
#[derive(Clone, Debug)]
pub(super) struct PublishHealth {
    bands: Arc<Mutex<HashMap<(String, Band), BandHealth>>>,
    protocol: Protocol,
}

impl PublishHealth {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self { bands: Arc::default(), protocol }
    }

    fn with<T>(&self, lane: &str, band: Band, f: impl FnOnce(&mut BandHealth, &Protocol) -> T) -> T {
        let mut bands = self.bands.lock().expect("nothing panics while it holds this lock");
        f(bands.entry((lane.to_owned(), band)).or_default(), &self.protocol)
    }

    /// A publish goes out. The number is for its answer.
    pub(super) fn sent(&self, lane: &str, band: Band, now: Instant) -> u64 {
        self.with(lane, band, |b, _| {
            b.next += 1;
            b.open.insert(b.next, now);
            b.next
        })
    }

    /// Its answer.
    pub(super) fn answered(&self, lane: &str, band: Band, number: u64, outcome: PublishOutcome, now: Instant) {
        self.with(lane, band, |b, _| {
            b.open.remove(&number);
            b.returned |= outcome == PublishOutcome::Returned;
            match outcome {
                PublishOutcome::Confirmed => {
                    (b.doubtful, b.confirmed, b.silent) = (false, Some(now), None);
                }
                // A queue that is missing or full would refuse the next one too; a probe's confirm shows that it is back.
                PublishOutcome::Unknown | PublishOutcome::Nacked | PublishOutcome::Returned => b.doubtful = true,
            }
        });
    }

    /// Whether jobs may be picked for the band: no publish is unanswered for long, and none was refused or has ended unknown since the last
    /// confirm.
    pub(super) fn is_healthy(&self, lane: &str, band: Band, now: Instant) -> bool {
        self.with(lane, band, |b, p| {
            let oldest = b.open.values().next();
            !b.doubtful && oldest.is_none_or(|since| now.saturating_duration_since(*since) < p.slow_publish)
        })
    }

    /// Whether a probe may go out to an unhealthy band now.
    pub(super) fn may_probe(&self, lane: &str, band: Band, now: Instant) -> bool {
        self.with(lane, band, |b, p| {
            if b.wanted.is_none_or(|at| now.saturating_duration_since(at) > 2 * p.probe) {
                b.silent = Some(now);
            }
            b.wanted = Some(now);
            b.silent.get_or_insert(now);
            let may = b.probed.is_none_or(|at| now.saturating_duration_since(at) >= p.probe);
            if may {
                b.probed = Some(now);
            }
            may
        })
    }

    /// Whether the band's queue is there. A return is told once: what it took along is then seen to.
    pub(super) fn presence(&self, lane: &str, band: Band, now: Instant) -> Presence {
        self.with(lane, band, |b, p| match b.confirmed {
            _ if std::mem::take(&mut b.returned) => Presence::Gone,
            Some(at) if now.saturating_duration_since(at) <= p.sweep => Presence::Here,
            _ => Presence::Unknown,
        })
    }

    /// What R3 needs before it believes a count of this queue.
    pub(super) fn proof(&self, lane: &str, band: Band, now: Instant) -> Proof {
        let (fresh, silent) = self.with(lane, band, |b, p| {
            let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
            (
                since(b.confirmed).is_some_and(|age| age < p.probe),
                since(b.silent).is_some_and(|age| age >= p.silent_broker),
            )
        });
        match (fresh, silent) {
            (true, _) => Proof::Fresh,
            (false, true) => Proof::Silent,
            (false, false) if self.may_probe(lane, band, now) => Proof::Probe,
            (false, false) => Proof::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LANE: &str = "default";
    const BAND: Band = Band::Normal;

    fn health() -> (PublishHealth, Instant) {
        (PublishHealth::new(Protocol::default()), Instant::now())
    }

    #[test]
    fn a_slow_or_unknown_publish_makes_the_band_wait_until_a_confirm() {
        let (health, start) = health();
        let at = |s| start + Duration::from_secs(s);
        let first = health.sent(LANE, BAND, at(0));
        assert!(health.is_healthy(LANE, BAND, at(1)));
        assert!(!health.is_healthy(LANE, BAND, at(2)), "unanswered for 2 s");
        health.answered(LANE, BAND, first, PublishOutcome::Unknown, at(20));
        assert!(!health.is_healthy(LANE, BAND, at(21)), "unknown");
        assert!(health.is_healthy(LANE, Band::High, at(21)), "other bands go on");
        let probe = health.sent(LANE, BAND, at(22));
        health.answered(LANE, BAND, probe, PublishOutcome::Confirmed, at(22));
        assert!(health.is_healthy(LANE, BAND, at(23)));
    }

    #[test]
    fn a_count_needs_a_fresh_confirm_or_twenty_seconds_of_silence() {
        let (health, start) = health();
        let at = |s| start + Duration::from_secs(s);
        let proofs: Vec<Proof> = [0, 1, 5, 14, 20].map(|s| health.proof(LANE, BAND, at(s))).into();
        assert_eq!(proofs, [Proof::Probe, Proof::Wait, Proof::Probe, Proof::Probe, Proof::Silent]);
        let probe = health.sent(LANE, BAND, at(21));
        health.answered(LANE, BAND, probe, PublishOutcome::Confirmed, at(21));
        assert_eq!(health.proof(LANE, BAND, at(22)), Proof::Fresh);
        assert_eq!(health.proof(LANE, BAND, at(300)), Proof::Probe, "an old silence doesn't count");
    }

    #[test]
    fn a_return_is_told_once_and_a_confirm_holds_for_a_sweep() {
        let (health, start) = health();
        let at = |s| start + Duration::from_secs(s);
        let answered = |outcome, s| health.answered(LANE, BAND, health.sent(LANE, BAND, at(s)), outcome, at(s));
        assert_eq!(health.presence(LANE, BAND, at(0)), Presence::Unknown);
        answered(PublishOutcome::Returned, 1);
        answered(PublishOutcome::Confirmed, 2);
        let seen: Vec<Presence> = [2, 2, 3, 4].map(|s| health.presence(LANE, BAND, at(s))).into();
        assert_eq!(seen, [Presence::Gone, Presence::Here, Presence::Here, Presence::Unknown]);
        answered(PublishOutcome::Nacked, 5);
        assert_eq!(health.presence(LANE, BAND, at(5)), Presence::Unknown, "a full queue is there");
    }
}
