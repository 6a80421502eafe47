//! The money of one call: set aside before it, settled after it, outside the job's transaction.

use super::{model_call::unbooked, paid_call::Asker};
use crate::{
    civic::{
        book_lost_calls,
        llm::{
            LlmError, Next, Outcome, Pause, Provider, Questions, Request,
            budget::{self, Decision},
            next_step,
        },
        model::Fingerprint,
        store::{
            llm_answers::NewAnswer,
            llm_ledger::Booking,
            llm_money::{self, Along, Beginning, Question, Reserved, Settlement, Wish},
        },
    },
    fleet::{
        handler::{ErrorClass, HandlerError},
        job::Hold,
    },
};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// A job that waits for another's call, or for money that is reserved, looks again after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Between the tries to settle a call; 0: it is given up. Together well below [`SETTLED_WITHIN`].
const SETTLE_WAITS_SECONDS: [u64; 5] = [1, 2, 4, 8, 0];
/// A call that has not been settled so long after its deadline belongs to a dead worker, and is booked as lost.
pub(super) const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// What a call may cost, set aside for it.
#[derive(Debug)]
pub(super) struct Reservation {
    /// What the call asks: of what was to be taken along, that which nobody else asks.
    pub(super) questions: Questions,
    input: Fingerprint,
    along: Vec<Fingerprint>,
    attempt: i16,
    holder: Uuid,
}

impl Reservation {
    fn question<'a>(&'a self, provider: &'a dyn Provider) -> Question<'a> {
        question(provider, &self.input, self.attempt)
    }

    /// Without the questions that it was not granted with.
    fn only(mut self, granted: &[String]) -> Self {
        let pairs = self.questions.along.into_iter().zip(self.along);
        let taken = pairs.filter(|(_, input)| granted.iter().any(|granted| granted == input.as_str()));
        (self.questions.along, self.along) = taken.unzip();
        self
    }
}

impl Asker {
    /// Sets aside what the call may cost; none: there is an answer by now.
    pub(super) async fn reserve(
        &self,
        provider: &dyn Provider,
        questions: Questions,
        attempt: i16,
    ) -> Result<Option<Reservation>, HandlerError> {
        let input = questions.own.input_hash();
        let along: Vec<Fingerprint> = questions.along.iter().map(Request::input_hash).collect();
        let inputs: Vec<&str> = along.iter().map(Fingerprint::as_str).collect();
        let settings = &self.services.settings;
        let most = settings.items_per_call.saturating_sub(1);
        let models = self.services.summariser.models();
        let worst = (!along.is_empty()).then(|| provider.worst_cost(&widest(&questions, most)));
        let wish = Wish {
            question: question(provider, &input, attempt),
            city: &self.city,
            job: self.ctx.job,
            worst: provider.worst_cost(&questions.own.clone().into()),
            lives: provider.deadline() + SETTLED_WITHIN,
            along: worst.map(|worst| Along { inputs: &inputs, most, models: &models, worst }),
        };
        let mut db = self.services.db().await?;
        let mut reserved = llm_money::reserve(&mut db, &settings.budgets, &wish).await?;
        if reserved == Reserved::Unbooked {
            book_lost_calls(&mut db).await?;
            reserved = llm_money::reserve(&mut db, &settings.budgets, &wish).await?;
        }
        drop(db);
        let Some((holder, granted)) = self.granted(provider, reserved)? else { return Ok(None) };
        Ok(Some(Reservation { questions, input, along, attempt, holder }.only(&granted)))
    }

    /// Writes down that the call is made. False: it must not be; what was reserved has expired, or the database is away.
    pub(super) async fn begin(&self, provider: &dyn Provider, reservation: &Reservation) -> bool {
        let Reservation { questions, along, holder, .. } = reservation;
        let beginning = Beginning {
            question: reservation.question(provider),
            holder: *holder,
            along,
            provider: provider.kind(),
            prompt: questions.prompt(),
            lives: provider.deadline() + SETTLED_WITHIN,
        };
        match self.services.db().await {
            Ok(db) => llm_money::begin(&**db, &beginning).await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// For a call that is not made. What can't be given back now is free when it expires.
    pub(super) async fn give_back(&self, provider: &dyn Provider, reservation: &Reservation) {
        if let Ok(db) = self.services.db().await {
            let Reservation { along, holder, .. } = reservation;
            let _ = llm_money::release(&**db, &reservation.question(provider), along, *holder).await;
        }
    }

    /// The reservation, and the inputs that it takes along; none: there is an answer by now.
    fn granted(
        &self,
        provider: &dyn Provider,
        reserved: Reserved,
    ) -> Result<Option<(Uuid, Vec<String>)>, HandlerError> {
        let random = rand::random::<f64>();
        match reserved {
            Reserved::Granted(holder, along) => Ok(Some((holder, along))),
            Reserved::Answered => Ok(None),
            Reserved::Taken | Reserved::Unbooked | Reserved::Refused(Decision::Wait | Decision::Go, _) => {
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

    /// Books what the call has cost, and keeps what was answered.
    pub(super) async fn settle(&self, provider: &dyn Provider, reservation: &Reservation, outcome: &Outcome) {
        let words = outcome.result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let answer = match &outcome.result {
            Ok(answer) => Some(NewAnswer::Summary(answer)),
            // Of several texts nobody knows which one it is about.
            Err(LlmError::Blocked(reason)) if reservation.along.is_empty() => Some(NewAnswer::Blocked(reason)),
            Err(_) => None,
        };
        let pause = outcome.result.as_ref().err().and_then(|error| pause_until(error, provider));
        let answers = outcome.along.iter().map(|answer| answer.as_ref().map(NewAnswer::Summary));
        // After an error of the whole call there are none.
        let along: Vec<_> = reservation.along.iter().zip(answers.chain(std::iter::repeat(None))).collect();
        let booking = Booking { job: Some(self.ctx.job), city: Some(&self.city), call: &outcome.call };
        let settlement = Settlement {
            question: reservation.question(provider),
            holder: reservation.holder,
            booking,
            answer,
            along: &along,
            pause: pause.map(|until| (until, words.as_str())),
        };
        // A database that is away for a moment must not forget what was paid.
        for wait in SETTLE_WAITS_SECONDS {
            let settled = match self.services.db().await {
                Ok(mut db) => {
                    let settled = llm_money::settle(&mut db, &settlement).await;
                    settled.map_err(|e| crate::db::describe(&e))
                }
                Err(e) => Err(e.to_string()),
            };
            match (settled, wait) {
                (Ok(_), _) => return,
                (Err(error), 0) => unbooked(&booking, &error),
                (Err(_), wait) => tokio::time::sleep(Duration::from_secs(wait)).await,
            }
        }
    }
}

/// What a job waits for that waits for a model.
pub(super) fn key(model: &str) -> String {
    format!("model:{model}")
}

/// With the longest of what is to be taken along, so many: no call with as many others costs more.
fn widest(questions: &Questions, most: usize) -> Questions {
    let mut along = questions.along.clone();
    along.sort_by_key(|request| std::cmp::Reverse(request.text.len() + request.title.len()));
    along.truncate(most);
    Questions { own: questions.own.clone(), along }
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
