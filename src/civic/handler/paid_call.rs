//! One call that costs money: reserve, ask, settle.
//!
//! What is settled is outside the job's transaction, and the call goes on when its job is stopped: the money is spent, and
//! the next attempt finds the answer.

use super::model_call::unbooked;
use crate::{
    civic::{
        Services,
        llm::{
            LlmError, Next, Outcome, Pause, Provider, Request,
            budget::{self, Decision},
            next_step,
        },
        model::Fingerprint,
        store::{
            llm_answers::NewAnswer,
            llm_ledger::Booking,
            llm_money::{self, Question, Reserved, Settlement, Wish},
        },
    },
    fleet::{
        breaker::Pass,
        handler::{ErrorClass, HandlerError},
        job::{Hold, JobId},
        pace::{self, Permit, Rules},
    },
    telemetry::{current_trace, within_trace},
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use tracing::Instrument;
use uuid::Uuid;

/// A job that waits for another's call, or for money that is reserved, looks again after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Between the tries to settle a call; 0: it is given up. Together well below [`SETTLED_WITHIN`].
const SETTLE_WAITS_SECONDS: [u64; 5] = [1, 2, 4, 8, 0];
/// A call that has not been settled so long after its deadline belongs to a dead worker.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);
/// Breakers of models are one label of the metrics.
const BREAKER_LABEL: &str = "model";

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) services: Arc<Services>,
    pub(super) job: JobId,
    pub(super) city: String,
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// With an answer or an error of the model's.
    Called(Box<Outcome>),
    /// It was not made: another job has the answer by now.
    Answered,
}

/// Calls of a model under way at once: it is their rate that is limited, so only a limit of what is written down of them.
const AT_ONCE: usize = 256;

/// A call that may be made: the model is not down, and it is its turn.
#[derive(Debug)]
struct Admitted {
    pass: Pass,
    /// None: the rate is not limited.
    permit: Option<Permit>,
}

/// Its turn at a model, whose rate is the whole fleet's; none: it is not limited. After the reservation: a turn is for a call
/// that is made.
async fn turn(services: &Services, provider: &dyn Provider) -> Result<Option<Permit>, HandlerError> {
    let Some(rules) = rate(services.settings.model_calls_per_minute, provider.deadline()) else { return Ok(None) };
    // Not the key of a model's pause: its jobs come back when it says, and not in turn.
    services.paces.enter(&format!("rate:{}", provider.model()), BREAKER_LABEL, &rules).await.map(Some)
}

/// A steady rate, whatever the answers: what a model says of its own limits is a pause. None: not limited.
fn rate(calls_per_minute: u32, deadline: Duration) -> Option<Rules> {
    let spacing = Duration::from_mins(1).checked_div(calls_per_minute)?;
    Some(Rules { slowest: spacing, ..Rules::new(spacing, AT_ONCE, deadline + SETTLED_WITHIN) })
}

impl Admitted {
    /// Tells how the call ended. What it returns is the job's end: the model is down, and the job waits for it.
    async fn ended(self, outcome: &Outcome) -> Option<HandlerError> {
        if let Some(permit) = self.permit {
            permit.ended(pace::Outcome::Good).await;
        }
        match &outcome.result {
            Err(error) if error.is_outage() => self.pass.failed(&error.to_string()).await,
            _ => {
                self.pass.succeeded().await;
                None
            }
        }
    }
}

/// What a job waits for that waits for a model.
fn key(model: &str) -> String {
    format!("model:{model}")
}

impl Asker {
    /// Asks provider number `index`, if it may be asked.
    pub(super) async fn call(&self, index: usize, request: Request, attempt: i16) -> Result<Ended, HandlerError> {
        let input = request.input_hash();
        let provider = self.provider(index);
        let pass = self.services.breakers.enter(&key(provider.model()), BREAKER_LABEL).await?;
        let reserved = self.reserve(provider, &request, &input, attempt).await;
        let holder = match reserved.and_then(|reserved| self.granted(provider, reserved)) {
            Ok(Some(holder)) => holder,
            Ok(None) => {
                pass.withdrawn().await;
                return Ok(Ended::Answered);
            }
            Err(error) => {
                pass.withdrawn().await;
                return Err(error);
            }
        };
        let permit = match turn(&self.services, provider).await {
            Ok(permit) => permit,
            Err(error) => {
                pass.withdrawn().await;
                // What can't be given back now is free when it expires.
                if let Ok(db) = self.services.db().await {
                    let _ = llm_money::release(&**db, &question(provider, &input, attempt), holder).await;
                }
                return Err(error);
            }
        };
        let admitted = Admitted { pass, permit };
        // A task of its own: a job that is stopped doesn't take back what the server has begun to bill. It takes the job's
        // trace and log fields along, which tasks don't inherit.
        let asker = self.clone();
        let call = async move {
            let provider = asker.provider(index);
            let outcome = asker.services.summariser.ask(provider, &request).await;
            asker.settle(provider, (&input, attempt, holder), &outcome).await;
            let held = admitted.ended(&outcome).await;
            (outcome, held)
        };
        let (outcome, held) = tokio::spawn(within_trace(current_trace(), call).in_current_span())
            .await
            .map_err(|e| HandlerError::retryable(ErrorClass::Panic, format!("the call ended early: {e}")))?;
        held.map_or_else(|| Ok(Ended::Called(Box::new(outcome))), Err)
    }

    pub(super) fn provider(&self, index: usize) -> &dyn Provider {
        &*self.services.summariser.providers()[index]
    }

    async fn reserve(
        &self,
        provider: &dyn Provider,
        request: &Request,
        input: &Fingerprint,
        attempt: i16,
    ) -> Result<Reserved, HandlerError> {
        let wish = Wish {
            question: question(provider, input, attempt),
            city: &self.city,
            job: self.job,
            worst: provider.worst_cost(request),
            lives: provider.deadline() + SETTLED_WITHIN,
        };
        let mut db = self.services.db().await?;
        Ok(llm_money::reserve(&mut db, &self.services.settings.budgets, &wish).await?)
    }

    /// The reservation; none: there is an answer by now.
    fn granted(&self, provider: &dyn Provider, reserved: Reserved) -> Result<Option<Uuid>, HandlerError> {
        let random = rand::random::<f64>();
        match reserved {
            Reserved::Granted(holder) => Ok(Some(holder)),
            Reserved::Answered => Ok(None),
            Reserved::Taken | Reserved::Refused(Decision::Wait | Decision::Go, _) => {
                Err(HandlerError::Snooze(LOOK_AGAIN.mul_f64(1.0 + random)))
            }
            Reserved::Paused(until, reason) => {
                tracing::debug!(llm.model = provider.model(), %until, reason, "a model is asked nothing for a while");
                Err(paused(provider.model(), budget::until(until, Timestamp::now(), random * 0.1)))
            }
            Reserved::Refused(Decision::Spent(period), now) => Err(HandlerError::HeldFor {
                hold: Hold::Budget,
                key: format!("budget:{}", period.as_str()),
                after: period.wait(now, random),
            }),
            Reserved::Refused(Decision::TooDear(limit), _) => Err(HandlerError::non_retryable(
                ErrorClass::Quota,
                format!(
                    "one call may cost more than a whole budget of {limit} micro-dollars: raise it, or lower \
                     civic.max_input_tokens (city {}, model {})",
                    self.city,
                    provider.model()
                ),
            )),
        }
    }

    async fn settle(
        &self,
        provider: &dyn Provider,
        (input, attempt, holder): (&Fingerprint, i16, Uuid),
        outcome: &Outcome,
    ) {
        let words = outcome.result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let answer = match &outcome.result {
            Ok(answer) => Some(NewAnswer::Summary(answer)),
            Err(LlmError::Blocked(reason)) => Some(NewAnswer::Blocked(reason)),
            Err(_) => None,
        };
        let pause = outcome.result.as_ref().err().and_then(|error| pause_until(error, provider));
        let booking = Booking { job: Some(self.job), city: Some(&self.city), call: &outcome.call };
        let settlement = Settlement {
            question: question(provider, input, attempt),
            holder,
            booking,
            answer,
            pause: pause.map(|until| (until, words.as_str())),
        };
        // A database that is away for a moment must not forget what was paid.
        for (tried, wait) in SETTLE_WAITS_SECONDS.into_iter().enumerate() {
            let settled = match self.services.db().await {
                Ok(mut db) => {
                    let settled = llm_money::settle(&mut db, &settlement, tried > 0).await;
                    settled.map_err(|e| crate::db::describe(&e))
                }
                Err(e) => Err(e.to_string()),
            };
            match (settled, wait) {
                (Ok(()), _) => return,
                (Err(error), 0) => unbooked(&booking, &error),
                (Err(_), wait) => tokio::time::sleep(Duration::from_secs(wait)).await,
            }
        }
    }
}

fn question<'a>(provider: &'a dyn Provider, input: &'a Fingerprint, attempt: i16) -> Question<'a> {
    Question { input, prompt_version: provider.prompt_version(), model: provider.model(), attempt }
}

/// Until when a model is asked nothing after this error; none: it may be asked on.
fn pause_until(error: &LlmError, provider: &dyn Provider) -> Option<Timestamp> {
    let now = Timestamp::now();
    match next_step(error, 0) {
        Next::Pause(Pause::For(wait)) => Some(now.saturating_add(wait).unwrap_or(Timestamp::MAX)),
        Next::Pause(Pause::UntilReset) => Some(provider.quota_reset(now)),
        _ => None,
    }
}

/// What becomes of a job whose model is paused by this error.
pub(super) fn held_by(error: &LlmError, provider: &dyn Provider) -> HandlerError {
    let (until, now) = (pause_until(error, provider), Timestamp::now());
    paused(provider.model(), budget::until(until.unwrap_or(now), now, rand::random::<f64>() * 0.1))
}

fn paused(model: &str, after: Duration) -> HandlerError {
    HandlerError::HeldFor { hold: Hold::Limit, key: key(model), after: after.max(Duration::from_secs(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_steady_spacing_and_none_is_no_limit() {
        assert!(rate(0, Duration::from_secs(1)).is_none());
        let rules = rate(120, Duration::from_secs(60)).unwrap();
        assert_eq!((rules.spacing, rules.slowest), (Duration::from_millis(500), Duration::from_millis(500)));
        assert!(rules.limit > Duration::from_secs(60), "a place outlives its call");
    }
}
