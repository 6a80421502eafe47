//! One question to the models, until there is an answer that its source proves: from what was paid for before, else by calls.

use super::{
    neighbours,
    paid_call::{Asker, Ended},
    reservation::held_by,
};
use crate::{
    civic::{
        llm::{
            Answer, Call, CallStatus, LlmError, Next, Outcome, PromptType, Questions, Request, meter, next_step,
            proof::{Fault, Source, faults},
        },
        store::llm_answers::{self, Known},
    },
    fleet::handler::{ErrorClass, HandlerError},
    telemetry::names,
};
use std::time::Duration;

/// Answers that one question gets proven at most: the first, and one more try.
const MAX_TRIES: i16 = 2;

/// What the models say to a question.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) model: String,
    pub(super) answer: Result<Answer, Unusable>,
}

/// Why an answer is no summary that may be shown.
#[derive(Debug)]
pub(super) enum Unusable {
    /// Its source doesn't have this of it.
    Unproven(Answer, Vec<Fault>),
    /// The model's filter refused the text, in these words.
    Blocked(String),
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The job ends.
    Job(HandlerError),
    /// The text has to be read in smaller parts.
    Smaller(LlmError),
}

impl From<HandlerError> for Trouble {
    fn from(error: HandlerError) -> Self {
        Self::Job(error)
    }
}

/// What the calls of this run have cost.
#[derive(Debug, Default)]
pub(super) struct Paid {
    pub(super) calls: usize,
    /// Calls whose answer is kept: a further run goes on from there.
    pub(super) kept: usize,
    /// Calls whose answer was of no use: a further run makes them again.
    wasted: usize,
    pub(super) tokens_in: u32,
    pub(super) tokens_out: u32,
    pub(super) cost_micro_usd: u64,
}

impl Paid {
    fn add(&mut self, call: &Call) {
        self.calls += 1;
        let is_batch = call.prompt == PromptType::Batch;
        match call.status {
            // Of several texts nobody knows which one a filter or a deadline is about.
            CallStatus::Blocked | CallStatus::Timeout if is_batch => self.wasted += 1,
            CallStatus::Ok | CallStatus::Blocked => self.kept += 1,
            CallStatus::Empty | CallStatus::Truncated | CallStatus::Malformed | CallStatus::WrongKey => {
                self.wasted += 1
            }
            _ => {}
        }
        self.tokens_in = self.tokens_in.saturating_add(call.usage.input);
        self.tokens_out = self.tokens_out.saturating_add(call.usage.output);
        self.cost_micro_usd = self.cost_micro_usd.saturating_add(call.cost);
    }

    /// A run that has paid and has nothing to show for it would pay the same again: its wait costs an attempt, so that it ends.
    pub(super) fn waits(&self, error: HandlerError) -> HandlerError {
        let is_free = |after| (self.wasted > 0 && self.kept == 0).then_some(after);
        let after = match &error {
            HandlerError::Held { .. } => is_free(Duration::ZERO),
            HandlerError::HeldFor { after, .. } | HandlerError::Snooze(after) => is_free(*after),
            _ => None,
        };
        match after {
            None => error,
            Some(after) => HandlerError::Retryable {
                class: ErrorClass::Malformed,
                message: format!("{} answers were of no use, and the next call has to wait", self.wasted),
                after: Some(after),
            },
        }
    }
}

/// Where to go on with a question.
enum Resume {
    Told(Told),
    /// The provider's index, and which try it is.
    At(usize, i16),
}

impl Asker {
    /// Asks until there is an answer, each model at most twice for one that its source proves. `company`: the first call may
    /// take questions of other items along.
    pub(super) async fn ask(
        &self,
        mut request: Request,
        source: &Source,
        company: bool,
        paid: &mut Paid,
    ) -> Result<Told, Trouble> {
        let (mut index, mut attempt) = match self.resume(&request, source).await? {
            Resume::Told(told) => return Ok(told),
            Resume::At(index, attempt) => (index, attempt),
        };
        let mut along = match (company, index, attempt) {
            (true, 0, 1) => neighbours::of(&self.services, &request, &self.ctx).await,
            _ => Vec::new(),
        };
        let mut unusable = 0;
        loop {
            request.again = attempt > 1;
            let questions = Questions { own: request.clone(), along: std::mem::take(&mut along) };
            let outcome = match self.call(index, questions, attempt).await.map_err(|error| paid.waits(error))? {
                Ended::Called(outcome) => outcome,
                Ended::Answered => match self.resume(&request, source).await? {
                    Resume::Told(told) => return Ok(told),
                    Resume::At(next, try_no) => {
                        (index, attempt) = (next, try_no);
                        continue;
                    }
                },
            };
            self.note(&outcome, paid);
            let provider = self.provider(index);
            let error = match outcome.result {
                Ok(answer) => match judge(answer, source) {
                    Ok(answer) => return Ok(told(provider.model(), Ok(answer))),
                    Err(unproven) if attempt >= MAX_TRIES => return Ok(told(provider.model(), Err(unproven))),
                    Err(_) => {
                        attempt += 1;
                        continue;
                    }
                },
                Err(error) => error,
            };
            let is_unusable = is_unusable(&error);
            if outcome.call.prompt == PromptType::Batch && may_be_anothers(&error) {
                continue;
            }
            unusable += u8::from(is_unusable);
            match next_step(&error, unusable) {
                Next::Again => {}
                Next::OtherModel if index + 1 < self.services.summariser.providers().len() => {
                    (index, attempt, unusable) = (index + 1, 1, 0);
                }
                Next::OtherModel | Next::Smaller => return Err(Trouble::Smaller(error)),
                Next::Pause(_) => return Err(paid.waits(held_by(&error, provider)).into()),
                Next::Retry(after) => {
                    let (class, message) = (error.class(), error.to_string());
                    return Err(HandlerError::Retryable { class, message, after }.into());
                }
                Next::GiveUp => return given_up(provider.model(), error),
            }
        }
    }

    /// What a call has cost, and what of its answers is of no use.
    fn note(&self, outcome: &Outcome, paid: &mut Paid) {
        paid.add(&outcome.call);
        outcome.along.iter().filter(|answer| answer.is_none()).for_each(|_| meter::rejected("wrong_key"));
        if outcome.call.prompt == PromptType::Batch && outcome.call.status != CallStatus::Ok {
            self.services.company.failed();
        }
    }

    /// What was paid for before, by any of the models.
    async fn resume(&self, request: &Request, source: &Source) -> Result<Resume, HandlerError> {
        let models = self.services.summariser.models();
        let (input, version) = (request.input_hash(), self.provider(0).prompt_version());
        let known = llm_answers::known(&**self.services.db().await?, &input, version, &models).await?;
        let resume = resume(known, &models, source);
        if matches!(resume, Resume::Told(_)) {
            metrics::counter!(names::LLM_REUSED, "prompt_type" => request.prompt.as_str()).increment(1);
        }
        Ok(resume)
    }
}

/// The first proven answer in the order of the models, whichever model it is of; else where asking stopped: at the last model
/// that said anything.
fn resume(known: Vec<Known>, models: &[&str], source: &Source) -> Resume {
    let mut last: Option<(usize, i16, Unusable)> = None;
    for (index, model) in models.iter().enumerate() {
        for one in known.iter().filter(|one| one.model == *model) {
            let unusable = match one.answer.clone() {
                Ok(answer) => match prove(answer, source) {
                    Ok(answer) => return Resume::Told(told(model, Ok(answer))),
                    Err(unproven) => unproven,
                },
                Err(reason) => return Resume::Told(told(model, Err(Unusable::Blocked(reason)))),
            };
            last = Some((index, one.attempt, unusable));
        }
    }
    match last {
        None => Resume::At(0, 1),
        Some((index, attempt, unusable)) if attempt >= MAX_TRIES => Resume::Told(told(models[index], Err(unusable))),
        Some((index, attempt, _)) => Resume::At(index, attempt + 1),
    }
}

fn told(model: &str, answer: Result<Answer, Unusable>) -> Told {
    Told { model: model.to_owned(), answer }
}

fn prove(answer: Answer, source: &Source) -> Result<Answer, Unusable> {
    let faults = faults(&answer.summary, source);
    if faults.is_empty() { Ok(answer) } else { Err(Unusable::Unproven(answer, faults)) }
}

/// The same of a new answer, which is counted.
fn judge(answer: Answer, source: &Source) -> Result<Answer, Unusable> {
    let judged = prove(answer, source);
    if let Err(Unusable::Unproven(_, faults)) = &judged {
        let mut reasons: Vec<&str> = faults.iter().map(|fault| fault.reason.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons.into_iter().for_each(meter::rejected);
    }
    judged
}

/// Whether it is an answer, and of no use; counted by its kind.
fn is_unusable(error: &LlmError) -> bool {
    match error.status() {
        CallStatus::WrongKey => meter::rejected("wrong_key"),
        CallStatus::Empty | CallStatus::Truncated | CallStatus::Malformed => meter::rejected("malformed"),
        _ => return false,
    }
    true
}

/// Of a call about several items: whether the own question may have a better end alone. What says nothing of the questions (a
/// limit, a quota, a server that is away) would be no other; fewer answers may be there in time.
fn may_be_anothers(error: &LlmError) -> bool {
    matches!(error, LlmError::Timeout(_)) || !matches!(next_step(error, 0), Next::Pause(_) | Next::Retry(_))
}

fn given_up(model: &str, error: LlmError) -> Result<Told, Trouble> {
    match error {
        LlmError::Blocked(reason) => {
            meter::rejected("blocked");
            Ok(told(model, Err(Unusable::Blocked(reason))))
        }
        error => Err(HandlerError::non_retryable(error.class(), error.to_string()).into()),
    }
}

/// A text that no model can answer, however small its parts are.
pub(super) fn hopeless(error: &LlmError) -> HandlerError {
    let class = if error.class() == ErrorClass::Other { ErrorClass::Malformed } else { error.class() };
    HandlerError::non_retryable(class, format!("no model gave an answer of use, also not to smaller parts: {error}"))
}
