//! What handlers hold: a way to ask, and to tell.

use super::state::{Admission, Breaker, Rules, State};
use crate::{
    db::Pool,
    fleet::{
        handler::HandlerError,
        job::Hold,
        ledger::breakers::{self, Changed},
    },
    telemetry::names::{BREAKER_REJECTED, BREAKER_TRANSITIONS},
};
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// For so long a closed breaker without failures is believed to be that: a fleet learns of an outage this much later.
const BELIEVED: Duration = Duration::from_secs(1);
/// Breakers that are remembered. Documents lie on hosts of all names: beyond this all are forgotten, and asked for again.
const REMEMBERED: usize = 1_000;

/// The fleet's breakers, as one process sees them. Cloning shares what is remembered.
#[derive(Clone, Debug)]
pub struct Breakers {
    pool: Pool,
    rules: Rules,
    sound: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Breakers {
    /// Breakers of these rules, which must be those of the whole fleet.
    #[must_use]
    pub fn new(pool: Pool, rules: Rules) -> Self {
        Self { pool, rules, sound: Arc::default() }
    }

    /// Asks to call what stands behind the breaker of this key. `label` is that of the metrics: of a closed set.
    ///
    /// # Errors
    /// When it is open: the job is held, without cost, until the breaker lets it through. When the database is away.
    pub async fn enter(&self, key: &str, label: &'static str) -> Result<Pass, HandlerError> {
        let pass = |admission| Pass { breakers: self.clone(), key: key.to_owned(), label, admission };
        if self.is_sound(key) {
            return Ok(pass(Admission::Call));
        }
        let mut client = self.client().await?;
        let current = breakers::read(&**client, key).await?.unwrap_or_default();
        let admission = match current.state {
            State::Closed => Admission::Call,
            // It may be time for a probe: the row's lock decides whose it is.
            State::Open(_) | State::HalfOpen(_) => {
                let changed =
                    breakers::change(&mut client, key, label, None, |breaker, now| breaker.admit(now, &self.rules))
                        .await?;
                count(label, &changed);
                changed.answer
            }
        };
        if admission == Admission::Refused {
            metrics::counter!(BREAKER_REJECTED, "vendor" => label).increment(1);
            return Err(HandlerError::Held { hold: Hold::Breaker, key: key.to_owned() });
        }
        if current == Breaker::default() {
            self.remember(key);
        }
        Ok(pass(admission))
    }

    async fn client(&self) -> Result<deadpool_postgres::Object, HandlerError> {
        self.pool.get().await.map_err(|error| HandlerError::DatabaseAway(format!("no database connection: {error}")))
    }

    fn is_sound(&self, key: &str) -> bool {
        let sound = self.sound.lock().unwrap_or_else(PoisonError::into_inner);
        sound.get(key).is_some_and(|since| since.elapsed() < BELIEVED)
    }

    fn remember(&self, key: &str) {
        let mut sound = self.sound.lock().unwrap_or_else(PoisonError::into_inner);
        if sound.len() >= REMEMBERED {
            sound.clear();
        }
        sound.insert(key.to_owned(), Instant::now());
    }

    fn forget(&self, key: &str) {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// A call that was let through. One that is dropped, with its job, says nothing: a probe without a word is given up in time.
#[derive(Debug)]
#[must_use = "a breaker that nobody tells never opens"]
pub struct Pass {
    breakers: Breakers,
    key: String,
    label: &'static str,
    admission: Admission,
}

impl Pass {
    /// The call ended well, or failed by nobody's fault but its own.
    pub async fn succeeded(self) {
        if self.admission == Admission::Call && self.has_nothing_to_forget().await {
            return;
        }
        self.tell(None, |breaker, _| breaker.succeeded(self.admission)).await;
    }

    /// The call ended, and says nothing of what stands behind the breaker: it was not asked.
    pub async fn withdrawn(self) {
        if self.admission == Admission::Probe {
            self.tell(None, |breaker, now| breaker.withdrawn(self.admission, now)).await;
        }
    }

    /// How long the call may take; none: as long as it likes. Another probe goes when this one is given up, so it has to end
    /// before.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        let probe = Duration::try_from(self.breakers.rules.probe).ok()?;
        (self.admission == Admission::Probe).then(|| probe.mul_f64(0.8))
    }

    /// The call failed because what stands behind the breaker is down. The reason is kept, and shown to operators. Where that
    /// opens it, or it was open, the job waits without cost: by the error that is returned.
    pub async fn failed(self, reason: &str) -> Option<HandlerError> {
        self.breakers.forget(&self.key);
        let rules = self.breakers.rules;
        let after = self.tell(Some(reason), |breaker, now| breaker.failed(self.admission, now, &rules)).await?;
        let held = HandlerError::Held { hold: Hold::Breaker, key: self.key.clone() };
        after.spares(self.admission, &rules).then_some(held)
    }

    /// Most calls end here. A look takes no lock.
    async fn has_nothing_to_forget(&self) -> bool {
        if self.breakers.is_sound(&self.key) {
            return true;
        }
        let Ok(client) = self.breakers.client().await else { return true };
        let current = breakers::read(&**client, &self.key).await;
        current.is_ok_and(|current| current.unwrap_or_default() == Breaker::default())
    }

    /// None: the database is away, and the breaker doesn't learn of it. The job's own end meets the same trouble.
    async fn tell(&self, reason: Option<&str>, next: impl FnOnce(Breaker, Timestamp) -> Breaker) -> Option<Breaker> {
        let told = async {
            let mut client = self.breakers.client().await?;
            let decide = |breaker, now| (next(breaker, now), ());
            Ok::<_, HandlerError>(breakers::change(&mut client, &self.key, self.label, reason, decide).await?)
        };
        match told.await {
            Ok(changed) => {
                count(self.label, &changed);
                Some(changed.to)
            }
            Err(error) => {
                tracing::debug!(key = self.key, %error, "a circuit breaker was not told of a call's end");
                None
            }
        }
    }
}

/// Counts and tells a change of state.
fn count<T>(label: &'static str, changed: &Changed<T>) {
    let (from, to) = (changed.from.state.as_str(), changed.to.state.as_str());
    if from == to {
        return;
    }
    metrics::counter!(BREAKER_TRANSITIONS, "vendor" => label, "to" => to).increment(1);
    tracing::warn!(
        event = "breaker.changed",
        key = changed.key,
        vendor = label,
        from,
        to,
        failures = changed.to.failures,
        "a circuit breaker changed"
    );
}
