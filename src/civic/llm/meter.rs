//! What calls cost, for Prometheus.

use super::{Call, CallStatus, Lost, MicroUsd};
use crate::telemetry::names;
use metrics::{counter, histogram};

/// Counts one call. The model's name comes from configuration, so that the label set is bounded.
pub(super) fn record(call: &Call) {
    let (model, prompt) = (call.model.clone(), call.prompt.as_str());
    counter!(names::LLM_REQUESTS, "model" => model.clone(), "prompt_type" => prompt, "status" => call.status.as_str())
        .increment(1);
    histogram!(names::LLM_DURATION, "model" => model.clone()).record(call.duration);
    for (kind, tokens) in [("input", call.usage.input), ("output", call.usage.output)] {
        counter!(names::LLM_TOKENS, "model" => model.clone(), "token_type" => kind).increment(tokens.into());
    }
    histogram!(names::LLM_COST, "model" => model, "prompt_type" => prompt).record(dollars(call.cost));
}

/// Counts a call whose worker died: how long it took and what it read and wrote nobody knows.
pub fn lost(call: &Lost) {
    let (model, prompt, status) = (call.model.clone(), call.prompt.clone(), CallStatus::Lost.as_str());
    counter!(names::LLM_REQUESTS, "model" => model.clone(), "prompt_type" => prompt.clone(), "status" => status)
        .increment(1);
    histogram!(names::LLM_COST, "model" => model, "prompt_type" => prompt).record(dollars(call.cost));
}

#[expect(clippy::cast_precision_loss, reason = "a metric: exact money is in the ledger")]
fn dollars(cost: MicroUsd) -> f64 {
    cost as f64 / 1e6
}

/// Counts a summary that is held back, or an answer that is of no use, by what was wrong with it.
pub fn rejected(reason: &'static str) {
    counter!(names::SUMMARIES_REJECTED, "reason" => reason).increment(1);
}
