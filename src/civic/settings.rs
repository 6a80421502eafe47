//! What the domain can be told.

use super::{
    document::{Limits, Ocr, Reader},
    llm::{budget::Budgets, client::ModelSettings, extractive},
    vendor::http::{HttpSettings, PaceSettings},
};
use std::time::Duration;

/// Settings of the domain. The defaults work, and cost nothing.
#[derive(Clone, Debug)]
pub struct CivicSettings {
    /// Days before today whose meetings are listed: minutes and late documents.
    pub past_days: u16,
    /// Days after today whose meetings are listed. More brings little: agendas are published days ahead.
    pub ahead_days: u16,
    /// A city is listed at most once in each slot of this length.
    pub sync_every: Duration,
    /// The agendas of meetings that are at most so many days away are read at each listing: vendors change agendas and
    /// attachments without touching what the listing shows.
    pub reread_days: u16,
    /// The client of vendors' sites, with the loopback hosts that it may ask.
    pub http: HttpSettings,
    /// How fast one host is asked.
    pub pace: PaceSettings,
    /// A vendor that is down is not asked for so long, but once.
    pub breaker_open: Duration,
    /// What one document may cost.
    pub limits: Limits,
    /// Pages without text are read from their image; none: they are not.
    pub ocr: Option<Ocr>,
    /// A document of a near meeting is asked for anew at most so often: vendors put other bytes behind the same address.
    pub document_recheck: Duration,
    /// Fewer characters are not worth a summary: procedure.
    pub min_text_chars: usize,
    /// Longest text that extraction reads, in characters. What is longer is cut.
    pub max_input_chars: usize,
    /// Longest text that a model reads at once, in tokens. What is longer is read in parts.
    pub max_input_tokens: usize,
    /// Short items of one meeting that a model is asked about in one call, at most; 1: each alone.
    pub items_per_call: usize,
    /// Calls of each model in a minute, for the whole fleet; 0: not limited.
    pub model_calls_per_minute: u32,
    /// What may be spent on models.
    pub budgets: Budgets,
    /// Who writes summaries.
    pub summariser: SummariserSettings,
}

/// Who writes summaries.
#[derive(Clone, Debug, Default)]
pub enum SummariserSettings {
    /// Sentences of the source, picked without a model.
    #[default]
    Extractive,
    /// Models behind APIs.
    Models(Box<Models>),
}

/// Models, the preferred one first: the others are asked when the one before gives nothing of use.
#[derive(Clone, Debug)]
pub struct Models {
    /// At least one.
    pub list: Vec<ModelSettings>,
}

impl SummariserSettings {
    /// The models' names: metric labels, and part of each summary's key.
    #[must_use]
    pub fn models(&self) -> Vec<&str> {
        match self {
            Self::Extractive => vec![extractive::MODEL],
            Self::Models(models) => models.list.iter().map(|model| model.model.as_str()).collect(),
        }
    }
}

impl CivicSettings {
    /// What reads documents.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { limits: self.limits, ocr: self.ocr.clone() }
    }
}

impl Default for CivicSettings {
    fn default() -> Self {
        Self {
            past_days: 7,
            ahead_days: 30,
            sync_every: Duration::from_hours(1),
            reread_days: 3,
            http: HttpSettings::default(),
            pace: PaceSettings::default(),
            breaker_open: Duration::from_mins(1),
            limits: Limits::default(),
            ocr: None,
            document_recheck: Duration::from_hours(6),
            min_text_chars: 50,
            max_input_chars: 120_000,
            max_input_tokens: 24_000,
            items_per_call: 1,
            model_calls_per_minute: 0,
            budgets: Budgets::default(),
            summariser: SummariserSettings::default(),
        }
    }
}
