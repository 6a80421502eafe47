//! One summary: by a model that is paid for, or by extraction.

use super::{input::Material, long_text};
use crate::{
    civic::{
        Services,
        store::{
            llm_ledger::{self, Booking},
            summaries::{self, NewSummary},
        },
    },
    fleet::handler::{Context, HandlerError},
    telemetry::names,
};
use std::sync::Arc;

/// What came of a text.
#[derive(Debug)]
pub(super) enum Made {
    /// A summary; with reasons, it is held back.
    Summary(NewSummary),
    /// None: the model's filter refuses the text, in these words.
    Blocked(String),
}

impl Made {
    /// The summary, and why nobody is shown it; none: it is shown.
    pub(super) fn told(self) -> (Option<NewSummary>, Option<String>) {
        match self {
            Self::Summary(summary) if summary.reasons.is_empty() => (Some(summary), None),
            Self::Summary(summary) => {
                let why = format!("held back: not in the source: {}", summary.reasons.join(", "));
                (Some(summary), Some(why))
            }
            Self::Blocked(reason) => (None, Some(format!("blocked: the model's safety filter refuses it: {reason}"))),
        }
    }
}

/// The summary of this material, of a city's.
pub(super) async fn summarise(
    services: &Arc<Services>,
    material: &Material,
    ctx: &Context,
    city: &str,
) -> Result<Made, HandlerError> {
    if services.summariser.is_free() {
        return extract(services, material, ctx, city).await.map(Made::Summary);
    }
    long_text::summarise(services, material, ctx, city).await
}

/// Without a model. What was extracted before is not extracted again; there is nothing to reserve, to prove or to keep.
async fn extract(
    services: &Services,
    material: &Material,
    ctx: &Context,
    city: &str,
) -> Result<NewSummary, HandlerError> {
    let provider = &*services.summariser.providers()[0];
    let request = material.whole(services.settings.max_input_chars);
    let (input_hash, model, prompt_version) = (request.input_hash(), provider.model(), provider.prompt_version());
    let made = |body: String| NewSummary {
        input_hash: input_hash.clone(),
        model: model.to_owned(),
        prompt_version,
        body,
        tokens_in: 0,
        tokens_out: 0,
        cost_micro_usd: 0,
        reasons: Vec::new(),
        pages: Vec::new(),
    };
    if let Some(body) = summaries::known(&*services.db().await?, &input_hash, prompt_version, model).await? {
        metrics::counter!(names::LLM_REUSED, "prompt_type" => request.prompt.as_str()).increment(1);
        return Ok(made(body));
    }
    let outcome = services.summariser.ask(provider, &request.into()).await;
    let booking = Booking { job: Some(ctx.job), city: Some(city), call: &outcome.call };
    if let Err(error) = llm_ledger::book(&*services.db().await?, booking).await {
        unbooked(&booking, &crate::db::describe(&error));
    }
    outcome.result.map(|answer| made(answer.summary)).map_err(|e| HandlerError::retryable(e.class(), e.to_string()))
}

/// A failure to book must not make the job pay again; it is told where somebody looks. What was reserved is booked as lost.
pub(super) fn unbooked(booking: &Booking<'_>, error: &str) {
    let (job, call) = (booking.job.map(|job| job.0), booking.call);
    tracing::error!(event = "llm.unbooked", job.id = job, llm.model = %call.model, llm.cost_micro_usd = call.cost, error, "a call could not be booked: it will be as lost, at the most that it can have cost");
}
