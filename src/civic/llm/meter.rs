//! What calls cost, for Prometheus.

use super::Call;
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
    #[expect(clippy::cast_precision_loss, reason = "a metric: exact money is in the ledger")]
    let dollars = call.cost as f64 / 1e6;
    histogram!(names::LLM_COST, "model" => model, "prompt_type" => prompt).record(dollars);
}

/// Counts a summary that is held back, or an answer that is of no use, by what was wrong with it.
pub fn rejected(reason: &'static str) {
    counter!(names::SUMMARIES_REJECTED, "reason" => reason).increment(1);
}
