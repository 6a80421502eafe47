//! What handlers hold: a way to ask, and to tell.

use super::state::{Admission, Outcome, Pace, Rules};
use crate::{
    db::Pool,
    fleet::{
        draw::draw,
        handler::HandlerError,
        job::Hold,
        ledger::paces::{self, Named},
    },
    telemetry::names::{PACE_HELD, PACE_WAIT},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The fleet's paces. What is known of a key is in the database alone, so a clone is as good.
#[derive(Clone, Debug)]
pub struct Paces {
    pool: Pool,
}

impl Paces {
    /// Paces of the fleet behind this pool.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Asks to call what this key names, and sleeps until it may: [`Rules::wait`], or as long again where a turn slips.
    /// `label` is that of the metrics: of a closed set. The rules of a key must be those of the whole fleet.
    ///
    /// # Errors
    /// When it would be longer: the job is held, without cost, until its turn. When the database is away.
    pub async fn enter(&self, key: &str, label: &'static str, rules: &Rules) -> Result<Permit, HandlerError> {
        let (begun, mut has_turn) = (Instant::now(), false);
        loop {
            let decide = |pace: Pace, now| {
                let random = draw(pace.starts, seed(key));
                if has_turn { pace.start(now, rules, random) } else { pace.admit(now, rules, random) }
            };
            let said = self.change(key, label, decide).await?;
            let waited = begun.elapsed();
            match said {
                Admission::Go(start) => {
                    metrics::histogram!(PACE_WAIT, "vendor" => label).record(waited.as_secs_f64());
                    let named = (key.to_owned(), label, start);
                    return Ok(Permit { paces: self.clone(), rules: *rules, named, begun: Instant::now() });
                }
                Admission::Wait(wait) if waited + wait <= 2 * rules.wait => sleep(wait).await,
                Admission::Wait(_) | Admission::Later(_) => return Err(held(key, label)),
            }
            has_turn = true;
        }
    }

    async fn change<T>(
        &self,
        key: &str,
        label: &'static str,
        decide: impl FnOnce(Pace, jiff::Timestamp) -> (Pace, T),
    ) -> Result<T, HandlerError> {
        let away = |error| HandlerError::DatabaseAway(format!("no database connection: {error}"));
        let mut client = self.pool.get().await.map_err(away)?;
        Ok(paces::change(&mut client, Named { key, label }, decide).await?)
    }
}

fn held(key: &str, label: &'static str) -> HandlerError {
    metrics::counter!(PACE_HELD, "vendor" => label).increment(1);
    HandlerError::Held { hold: Hold::Limit, key: key.to_owned() }
}

/// Two keys don't draw the same jitter.
fn seed(key: &str) -> i64 {
    key.bytes().fold(0, |sum: i64, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
}

/// A call that may be made now. One that is dropped, with its job, keeps its place until it is given up.
#[derive(Debug)]
#[must_use = "a place that nobody gives back is lost to others for minutes"]
pub struct Permit {
    paces: Paces,
    rules: Rules,
    /// Key, label, start.
    named: (String, &'static str, i64),
    begun: Instant,
}

impl Permit {
    /// The call ended. Was it refused, the job waits without cost by the error that is returned, unless that has gone on for
    /// [`Rules::patience`].
    pub async fn ended(self, outcome: Outcome) -> Option<HandlerError> {
        let took = self.begun.elapsed();
        self.ended_after(outcome, took).await
    }

    /// The same, of a call that took so long for whoever answers.
    pub async fn ended_after(self, outcome: Outcome, took: Duration) -> Option<HandlerError> {
        let Self { paces, rules, named: (key, label, start), .. } = self;
        let decide = |pace: Pace, now| {
            let pace = pace.ended(start, outcome, took, now, &rules);
            let spares = pace.spares(now, &rules);
            (pace, spares)
        };
        match paces.change(&key, label, decide).await {
            Ok(spares) => (spares && matches!(outcome, Outcome::Refused(_))).then(|| held(&key, label)),
            Err(error) => {
                // The job's own end meets the same trouble; the place is given up in time.
                tracing::debug!(key, %error, "a pace was not told of a call's end");
                None
            }
        }
    }
}
