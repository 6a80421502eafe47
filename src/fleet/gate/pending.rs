//! How many jobs of a kind may be pending, and how many are.
//!
//! Counting costs no query a request: what the ledger held at the last count, and what this process accepted since. A
//! count begins at least a second after the one before, and takes at most a twentieth of the time; no count, while nobody
//! asks. So a limit is exceeded by no more than what others enqueue between two counts, and what this process was writing
//! when a count began. What is written between its beginning and its look counts twice until the next one: a limit may be
//! felt that much early.

use super::GateError;
use crate::{db::Pool, fleet::ledger::read::pending_by_kind};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// A count looks at so many runnable and so many held rows. Where there are more, every limit is taken as reached.
pub const COUNTED_MAX: i64 = 2_000_000;
/// Between two counts, at least.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// A count rests for so many times as long as it took.
const REST: u32 = 19;
/// A count that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(6);

/// How many jobs of a kind may be pending, runnable or held. 0: any number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxPending {
    /// Of kinds that are not named.
    pub default: u64,
    /// Of these kinds.
    pub kinds: BTreeMap<String, u64>,
}

impl Default for MaxPending {
    fn default() -> Self {
        Self { default: 1_000_000, kinds: BTreeMap::new() }
    }
}

impl MaxPending {
    /// No limits.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { default: 0, kinds: BTreeMap::new() }
    }

    fn of(&self, kind: &str) -> Option<u64> {
        Some(self.kinds.get(kind).copied().unwrap_or(self.default)).filter(|max| *max > 0)
    }

    fn any(&self) -> bool {
        self.default > 0 || self.kinds.values().any(|max| *max > 0)
    }
}

/// The limits, and what is known of the ledger.
#[derive(Debug)]
pub struct Pending {
    limits: MaxPending,
    counts: Mutex<Counts>,
    asked: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    /// At the last count.
    ledger: HashMap<String, u64>,
    /// More than a count looks at.
    is_full: bool,
    /// Accepted after the last count had begun, and before the one that runs.
    before: HashMap<String, u64>,
    /// Accepted since the count that runs, or the last one, has begun.
    since: HashMap<String, u64>,
}

impl Counts {
    fn of(&self, kind: &str) -> u64 {
        [&self.ledger, &self.before, &self.since].iter().filter_map(|counts| counts.get(kind)).sum()
    }

    fn begin(&mut self) {
        for (kind, jobs) in self.since.drain() {
            *self.before.entry(kind).or_default() += jobs;
        }
    }

    fn counted(&mut self, ledger: HashMap<String, u64>, is_full: bool) {
        (self.ledger, self.is_full) = (ledger, is_full);
        self.before.clear();
    }
}

impl Pending {
    /// Nothing is known yet, so nothing is refused yet.
    #[must_use]
    pub fn new(limits: MaxPending) -> Self {
        Self { limits, counts: Mutex::default(), asked: Notify::new() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("nothing panics while it holds this lock")
    }

    /// Counts these jobs, by kind, as accepted; all or none.
    ///
    /// # Errors
    /// [`GateError::TooManyPending`] for the first kind that has no room.
    pub fn admit(&self, jobs: &BTreeMap<&str, u64>) -> Result<(), GateError> {
        self.asked.notify_one();
        let mut counts = self.counts();
        for (kind, new) in jobs {
            let Some(max) = self.limits.of(kind) else { continue };
            let pending = counts.of(kind);
            if counts.is_full || pending.saturating_add(*new) > max {
                return Err(GateError::TooManyPending { kind: (*kind).to_owned(), pending, max });
            }
        }
        for (kind, new) in jobs.iter().filter(|(kind, _)| self.limits.of(kind).is_some()) {
            *counts.since.entry((*kind).to_owned()).or_default() += new;
        }
        Ok(())
    }

    /// So many were not written after all.
    pub fn release(&self, kind: &str, jobs: u64) {
        let mut counts = self.counts();
        let counts = &mut *counts;
        let mut left = jobs;
        for accepted in [&mut counts.since, &mut counts.before] {
            if let Some(accepted) = accepted.get_mut(kind) {
                let taken = left.min(*accepted);
                (*accepted, left) = (*accepted - taken, left - taken);
            }
        }
    }

    /// Counts until `stop`, at once and then when somebody asked.
    pub(super) async fn keep(self: Arc<Self>, pool: Pool, stop: CancellationToken) {
        if !self.limits.any() {
            return;
        }
        let counting = async {
            loop {
                let begun = Instant::now();
                self.count(&pool).await;
                sleep(PAUSE_MIN.max(begun.elapsed() * REST)).await;
                self.asked.notified().await;
            }
        };
        stop.run_until_cancelled(counting).await;
    }

    /// Without an answer, the last count and all that was accepted since stand.
    async fn count(&self, pool: &Pool) {
        let counted = timeout(PATIENCE, async {
            let connection = pool.get().await.map_err(|e| e.to_string())?;
            let client: &tokio_postgres::Client = &connection;
            // Not before there is a connection: what is written from here until the query looks is counted twice.
            self.counts().begin();
            pending_by_kind(client, COUNTED_MAX).await.map_err(|e| crate::db::describe(&e))
        });
        match counted.await.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}"))) {
            Ok((ledger, is_full)) => self.counts().counted(ledger, is_full),
            Err(error) => tracing::warn!(event = "pending.uncounted", error, "pending jobs can't be counted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(max: u64) -> Pending {
        Pending::new(MaxPending { default: 0, kinds: [("a".to_owned(), max)].into() })
    }

    fn one(kind: &str) -> BTreeMap<&str, u64> {
        [(kind, 1)].into()
    }

    fn counted(pending: &Pending, jobs: u64) {
        pending.counts().counted([("a".to_owned(), jobs)].into(), false);
    }

    #[test]
    fn the_last_count_and_what_came_since_are_bounded_together() {
        let pending = pending(10);
        counted(&pending, 8);
        assert_eq!(pending.admit(&one("a")), Ok(()));
        assert_eq!(pending.admit(&one("a")), Ok(()));
        let refused = GateError::TooManyPending { kind: "a".to_owned(), pending: 10, max: 10 };
        assert_eq!(pending.admit(&one("a")), Err(refused));
        assert_eq!(pending.admit(&one("b")), Ok(()), "no limit");
        pending.release("a", 1);
        assert_eq!(pending.admit(&one("a")), Ok(()));
        counted(&pending, 0);
        assert!(pending.admit(&[("a", 9)].into()).is_err(), "two were accepted since");
    }

    #[test]
    fn a_count_forgets_what_it_saw_and_keeps_what_came_while_it_ran() {
        let pending = pending(10);
        assert_eq!(pending.admit(&[("a", 6)].into()), Ok(()));
        pending.counts().begin();
        assert_eq!(pending.admit(&[("a", 3)].into()), Ok(()));
        assert!(pending.admit(&[("a", 2)].into()).is_err(), "nine are known");
        counted(&pending, 2);
        assert_eq!(pending.counts().of("a"), 5);
        pending.release("a", 100);
        assert_eq!(pending.counts().of("a"), 2);
    }

    #[test]
    fn jobs_that_belong_together_are_all_accepted_or_none() {
        let limits = MaxPending { default: 5, kinds: [("b".to_owned(), 1)].into() };
        let pending = Pending::new(limits);
        assert!(pending.admit(&[("a", 5), ("b", 2)].into()).is_err());
        assert_eq!(pending.counts().of("a"), 0);
        assert_eq!(pending.admit(&[("a", 5), ("b", 1)].into()), Ok(()));
    }

    #[test]
    fn more_than_can_be_counted_is_too_many() {
        let pending = pending(10);
        pending.counts().counted(HashMap::new(), true);
        assert!(pending.admit(&one("a")).is_err());
        assert_eq!(pending.admit(&one("b")), Ok(()), "no limit");
    }
}
