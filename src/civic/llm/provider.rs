//! Who answers: one trait, whatever stands behind it.

use super::{MicroUsd, Outcome, Questions};
use jiff::Timestamp;
use std::{fmt, pin::Pin, time::Duration};

/// An answer that is on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Whose wire format is spoken. A closed set, stored as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// Sentences of the source, without a model.
    Extractive,
    /// Chat completions of OpenAI, and of the servers that speak the same.
    OpenAi,
    /// Google's `generateContent`.
    Gemini,
}

impl ProviderKind {
    /// The name in settings and in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extractive => "extractive",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One model of one provider.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Whose wire format it is.
    fn kind(&self) -> ProviderKind;

    /// The model's name: part of each summary's key, and a metric label from configuration.
    fn model(&self) -> &str;

    /// Version of what it is told: part of each summary's key.
    fn prompt_version(&self) -> &'static str;

    /// The most that a call with these questions may cost, in micro-dollars.
    fn worst_cost(&self, questions: &Questions) -> MicroUsd;

    /// Longest time that a call takes.
    fn deadline(&self) -> Duration;

    /// When a quota of the day is there again.
    fn quota_reset(&self, now: Timestamp) -> Timestamp;

    /// One request. It never repeats itself, and has a deadline of its own.
    fn ask<'a>(&'a self, questions: &'a Questions) -> Answering<'a>;
}
