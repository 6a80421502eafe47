//! Summaries. One belongs to an input, a prompt and a model; a new input adds a row.

use super::{ItemId, MeetingId, SummaryId};
use crate::{
    civic::{
        llm::{PromptType, chunk::PageRange},
        model::Fingerprint,
    },
    db::Statements,
};
use tokio_postgres::{Error, types::Json};

/// What a summary is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An agenda item.
    Item(ItemId),
    /// A meeting.
    Meeting(MeetingId),
}

impl Subject {
    const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Item(id) => (PromptType::Item.as_str(), id.0),
            Self::Meeting(id) => (PromptType::Meeting.as_str(), id.0),
        }
    }
}

/// A summary before it has a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSummary {
    /// Hash of all that the model read.
    pub input_hash: Fingerprint,
    /// The model.
    pub model: String,
    /// Version of its prompt.
    pub prompt_version: &'static str,
    /// The text.
    pub body: String,
    /// Tokens read.
    pub tokens_in: u32,
    /// Tokens written.
    pub tokens_out: u32,
    /// What it cost; 0 when the text was there already.
    pub cost_micro_usd: u64,
    /// What its source does not have of it; empty: it is proven. Otherwise it is held back, and nobody's current summary.
    pub reasons: Vec<String>,
    /// Pages of documents that it rests on.
    pub pages: Vec<PageRange>,
}

/// The text that this input has, whatever it was about.
///
/// # Errors
/// When the database fails.
pub async fn known<C: Statements>(
    client: &C,
    input: &Fingerprint,
    prompt_version: &str,
    model: &str,
) -> Result<Option<String>, Error> {
    let sql = "select body from summaries where input_hash = $1 and prompt_version = $2 and model = $3 and state = 'accepted' \
               order by id limit 1";
    let row = client.query_opt(sql, &[&input.as_str(), &prompt_version, &model]).await?;
    Ok(row.map(|row| row.get(0)))
}

const PUT: &str = "\
with added as (
  insert into summaries (subject_kind, subject_id, input_hash, prompt_version, model, body, tokens_in, tokens_out,
                         cost_micro_usd, state, reasons, pages)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10::text[] = '{}' then 'accepted' else 'held_back' end, $10, $11)
  on conflict do nothing returning id)
select id from added
union all
select id from summaries where input_hash = $3 and prompt_version = $4 and model = $5 and subject_kind = $1 and subject_id = $2
  and (state = 'accepted') = ($10::text[] = '{}')
limit 1";

/// Stores a summary; the first one of its key stays. None: that one is held back and this one is not, or the other way round,
/// so neither is to be shown for the other.
///
/// # Errors
/// When the database fails.
pub async fn put<C: Statements>(
    client: &C,
    subject: Subject,
    summary: &NewSummary,
) -> Result<Option<SummaryId>, Error> {
    let (kind, id) = subject.parts();
    let count = |tokens: u32| i32::try_from(tokens).unwrap_or(i32::MAX);
    let cost = i64::try_from(summary.cost_micro_usd).unwrap_or(i64::MAX);
    let row = client
        .query_opt(
            PUT,
            &[
                &kind,
                &id,
                &summary.input_hash.as_str(),
                &summary.prompt_version,
                &summary.model,
                &summary.body,
                &count(summary.tokens_in),
                &count(summary.tokens_out),
                &cost,
                &summary.reasons,
                &Json(&summary.pages),
            ],
        )
        .await?;
    Ok(row.map(|row| SummaryId(row.get(0))))
}
