//! One call that costs money: reserve, ask, settle.
//!
//! What is settled is outside the job's transaction, and the call goes on when its job is stopped: the money is spent, and
//! the next attempt finds the answer.

use super::reservation::{Reservation, SETTLED_WITHIN, key};
use crate::{
    civic::{
        Services,
        llm::{LlmError, Outcome, PromptType, Provider, Questions},
    },
    fleet::{
        breaker::Pass,
        handler::{Context, ErrorClass, HandlerError},
        pace::{self, Permit, Rules},
    },
    telemetry::{current_trace, within_trace},
};
use std::{sync::Arc, time::Duration};
use tracing::Instrument;

/// Breakers of models are one label of the metrics.
const BREAKER_LABEL: &str = "model";

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) services: Arc<Services>,
    pub(super) ctx: Context,
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
            // More answers take longer: it tells nothing of the model.
            Err(LlmError::Timeout(_)) if outcome.call.prompt == PromptType::Batch => {
                self.pass.withdrawn().await;
                None
            }
            Err(error) if error.is_outage() => self.pass.failed(&error.to_string()).await,
            _ => {
                self.pass.succeeded().await;
                None
            }
        }
    }
}

impl Asker {
    /// Asks provider number `index`, if it may be asked. Of what is to be taken along, that which nobody else asks is.
    pub(super) async fn call(&self, index: usize, questions: Questions, attempt: i16) -> Result<Ended, HandlerError> {
        let provider = self.provider(index);
        let pass = self.services.breakers.enter(&key(provider.model()), BREAKER_LABEL).await?;
        let reservation = match self.reserve(provider, questions, attempt).await {
            Ok(Some(reservation)) => reservation,
            Ok(None) => {
                pass.withdrawn().await;
                return Ok(Ended::Answered);
            }
            Err(error) => {
                pass.withdrawn().await;
                return Err(error);
            }
        };
        // A task of its own: a job that is stopped doesn't take back what the server has begun to bill, nor forget what it has
        // reserved. It takes the job's trace and log fields along, which tasks don't inherit.
        let asker = self.clone();
        let call = async move { asker.reserved(index, pass, reservation).await };
        let ended = tokio::spawn(within_trace(current_trace(), call).in_current_span()).await;
        ended.unwrap_or_else(|e| Err(HandlerError::retryable(ErrorClass::Panic, format!("the call ended early: {e}"))))
    }

    /// Makes a call that is reserved, when its turn has come.
    async fn reserved(&self, index: usize, pass: Pass, reservation: Reservation) -> Result<Ended, HandlerError> {
        let provider = self.provider(index);
        let permit = match turn(&self.services, provider).await {
            Ok(permit) if !self.ctx.token.is_cancelled() && self.begin(provider, &reservation).await => permit,
            unmade => {
                pass.withdrawn().await;
                self.give_back(provider, &reservation).await;
                if let Some(permit) = unmade? {
                    permit.ended(pace::Outcome::Good).await;
                }
                // Whoever stops the job doesn't hear it.
                return Err(HandlerError::Snooze(Duration::from_secs(1)));
            }
        };
        let admitted = Admitted { pass, permit };
        let outcome = self.services.summariser.ask(provider, &reservation.questions).await;
        self.settle(provider, &reservation, &outcome).await;
        match admitted.ended(&outcome).await {
            Some(held) => Err(held),
            None => Ok(Ended::Called(Box::new(outcome))),
        }
    }

    pub(super) fn provider(&self, index: usize) -> &dyn Provider {
        &*self.services.summariser.providers()[index]
    }
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
