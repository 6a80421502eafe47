//! One summary: from the store when it was paid for before, else from the summariser.

use crate::{
    civic::{
        Services,
        llm::{Call, Request},
        model::Fingerprint,
        store::{
            llm_ledger,
            summaries::{self, NewSummary},
        },
    },
    fleet::{
        handler::{Context, HandlerError},
        job::JobId,
    },
    telemetry::names,
};

/// The summary of this input.
pub(super) async fn summarise(
    services: &Services,
    request: &Request,
    ctx: &Context,
) -> Result<NewSummary, HandlerError> {
    let model = services.summariser.model();
    let input_hash = Fingerprint::of(&(request.prompt, &request.title, &request.text));
    if let Some(body) = summaries::paid(&*services.db().await?, &input_hash, model).await? {
        metrics::counter!(names::LLM_REUSED, "prompt_type" => request.prompt.as_str()).increment(1);
        let model = model.to_owned();
        return Ok(NewSummary { input_hash, model, body, tokens_in: 0, tokens_out: 0, cost_micro_usd: 0 });
    }
    let outcome = services.summariser.summarise(request).await;
    book(services, ctx.job, &outcome.call).await;
    Ok(NewSummary {
        input_hash,
        model: model.to_owned(),
        body: outcome.result?,
        tokens_in: outcome.call.usage.input,
        tokens_out: outcome.call.usage.output,
        cost_micro_usd: outcome.call.cost,
    })
}

/// Books a call as soon as it has ended, outside the job's transaction: the money is spent even if the job's result is
/// refused. A failure to book must not make the job pay again.
async fn book(services: &Services, job: JobId, call: &Call) {
    let booked = match services.db().await {
        Ok(db) => llm_ledger::book(&*db, Some(job), call).await.map_err(|e| crate::db::describe(&e)),
        Err(e) => Err(e.to_string()),
    };
    if let Err(error) = booked {
        tracing::error!(event = "llm.unbooked", job.id = job.0, llm.model = %call.model, llm.cost_micro_usd = call.cost, error, "call not booked");
    }
}
