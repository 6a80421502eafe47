//! The one summariser that a process uses.

use super::{
    Call, CallStatus, LlmError, Outcome, PromptType, Request, Usage,
    extractive::{self, summarise},
    meter,
    openai::OpenAi,
};
use tokio::time::Instant;

/// Who writes summaries.
#[derive(Debug, Default)]
pub enum Summariser {
    /// Sentences of the source. Costs nothing.
    #[default]
    Extractive,
    /// A model behind an OpenAI-compatible API.
    OpenAi(Box<OpenAi>),
}

impl Summariser {
    /// The model's name: part of each summary's key.
    #[must_use]
    pub fn model(&self) -> &str {
        match self {
            Self::Extractive => extractive::MODEL,
            Self::OpenAi(client) => client.model(),
        }
    }

    /// Asks for one summary, and counts the call. The caller writes [`Outcome::call`] into the ledger.
    pub async fn summarise(&self, request: &Request) -> Outcome {
        let outcome = match self {
            Self::Extractive => extract(request),
            Self::OpenAi(client) => client.summarise(request).await,
        };
        meter::record(&outcome.call);
        outcome
    }
}

fn extract(request: &Request) -> Outcome {
    let started = Instant::now();
    let sentences = match request.prompt {
        PromptType::Item => 3,
        PromptType::Meeting => 6,
    };
    let text = summarise(&request.text, sentences);
    let result = if text.is_empty() { Err(LlmError::Empty("no letters in the text".to_owned())) } else { Ok(text) };
    let status = result.as_ref().map_or_else(LlmError::status, |_| CallStatus::Ok);
    let call = Call {
        model: extractive::MODEL.to_owned(),
        prompt: request.prompt,
        status,
        usage: Usage::default(),
        cost: 0,
        duration: started.elapsed(),
    };
    Outcome { call, result }
}
