//! `summarise_item`: what an agenda item says.

use super::{input, late, model_call};
use crate::{
    civic::{
        Services,
        store::{
            ItemId, MeetingId, RevisionId, items, refs,
            summaries::{self, NewSummary, Subject},
        },
    },
    fleet::{
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        ledger::PgTx,
    },
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Summarises an item from the documents that could be had. Procedure is skipped, and what its source does not prove is held
/// back, each with a reason.
#[derive(Clone, Debug)]
pub struct SummariseItem(pub Arc<Services>);

/// Which item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummariseItemArgs {
    /// The item.
    pub item: ItemId,
    /// The revision of its meeting.
    pub revision: RevisionId,
}

/// What became of the item.
#[derive(Debug, Serialize)]
pub struct ItemSummary {
    /// Why it was skipped; none: it has a summary.
    pub skipped: Option<String>,
    /// Documents that it should have and that could not be had.
    pub missing: usize,
    /// What the summary cost, in micro-dollars.
    pub cost_micro_usd: u64,
    #[serde(skip)]
    item: ItemId,
    #[serde(skip)]
    meeting: MeetingId,
    #[serde(skip)]
    revision: RevisionId,
    #[serde(skip)]
    summary: Option<NewSummary>,
}

impl Handler for SummariseItem {
    type Args = SummariseItemArgs;
    type Output = ItemSummary;
    const KIND: &'static str = "summarise_item";
    const COMPONENT: Component = Component::Llm;

    async fn run(&self, args: SummariseItemArgs, ctx: Context) -> Result<ItemSummary, HandlerError> {
        let extractor = self.0.extractor().await?;
        let db = self.0.db().await?;
        let unknown = || HandlerError::non_retryable(ErrorClass::InvalidArgs, format!("no item {}", args.item));
        let item = items::find(&*db, args.item).await?.ok_or_else(unknown)?;
        let documents = refs::texts(&*db, item.meeting, Some(item.id), &extractor).await?;
        drop(db);
        let missing = documents.iter().filter(|document| document.sha256.is_none()).count();
        let (summary, skipped) = match input::item(&item, &documents, &self.0.settings) {
            Ok(material) => model_call::summarise(&self.0, &material, &ctx, &item.city.0).await?.told(),
            Err(reason) => (None, Some(reason)),
        };
        let cost_micro_usd = summary.as_ref().map_or(0, |summary| summary.cost_micro_usd);
        let (item, meeting) = (item.id, item.meeting);
        Ok(ItemSummary { skipped, missing, cost_micro_usd, item, meeting, revision: args.revision, summary })
    }
}

impl Effects<PgTx> for SummariseItem {
    async fn apply(&self, tx: &mut PgTx, output: &ItemSummary, ctx: &Context) -> Result<(), HandlerError> {
        let row = match &output.summary {
            Some(summary) => summaries::put(tx, Subject::Item(output.item), summary).await?,
            None => None,
        };
        match (row, &output.skipped) {
            (Some(row), None) => items::set_summary(tx, output.item, row).await?,
            (_, reason) => items::set_skipped(tx, output.item, reason.as_deref().unwrap_or(input::TOO_SHORT)).await?,
        }
        late::resummarise(tx, output.meeting, None, output.revision, ctx).await
    }
}
