//! `summarise_meeting`: what a meeting is about.

use super::{input, model_call};
use crate::{
    civic::{
        Services,
        store::{
            MeetingId, RevisionId, items, meetings, refs,
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

/// Summarises a meeting from the summaries of its items, when all work on them has ended, well or not.
#[derive(Clone, Debug)]
pub struct SummariseMeeting(pub Arc<Services>);

/// Which meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummariseMeetingArgs {
    /// The meeting.
    pub meeting: MeetingId,
    /// Its revision.
    pub revision: RevisionId,
}

/// What became of the meeting.
#[derive(Debug, Serialize)]
pub struct MeetingSummary {
    /// Why it was skipped; none: it has a summary.
    pub skipped: Option<String>,
    /// Items with a summary.
    pub items: usize,
    /// What the summary cost, in micro-dollars.
    pub cost_micro_usd: u64,
    #[serde(skip)]
    meeting: MeetingId,
    #[serde(skip)]
    summary: Option<NewSummary>,
}

impl Handler for SummariseMeeting {
    type Args = SummariseMeetingArgs;
    type Output = MeetingSummary;
    const KIND: &'static str = "summarise_meeting";
    const COMPONENT: Component = Component::Llm;

    async fn run(&self, args: SummariseMeetingArgs, ctx: Context) -> Result<MeetingSummary, HandlerError> {
        let extractor = self.0.extractor().await?;
        let db = self.0.db().await?;
        let unknown = || HandlerError::non_retryable(ErrorClass::InvalidArgs, format!("no meeting {}", args.meeting));
        let (title, city) = meetings::title(&*db, args.meeting).await?.ok_or_else(unknown)?;
        let items = items::summarised(&*db, args.meeting).await?;
        let agenda = refs::texts(&*db, args.meeting, None, &extractor).await?;
        drop(db);
        let (summary, skipped) = match input::meeting(&title, &items, &agenda, &self.0.settings) {
            Some(material) => model_call::summarise(&self.0, &material, &ctx, &city).await?.told(),
            None => (None, Some(input::NOTHING.to_owned())),
        };
        let cost_micro_usd = summary.as_ref().map_or(0, |summary| summary.cost_micro_usd);
        Ok(MeetingSummary { skipped, items: items.len(), cost_micro_usd, meeting: args.meeting, summary })
    }
}

impl Effects<PgTx> for SummariseMeeting {
    async fn apply(&self, tx: &mut PgTx, output: &MeetingSummary, _: &Context) -> Result<(), HandlerError> {
        let row = match &output.summary {
            Some(summary) => summaries::put(tx, Subject::Meeting(output.meeting), summary).await?,
            None => None,
        };
        match (row, &output.skipped) {
            (Some(row), None) => Ok(meetings::set_summary(tx, output.meeting, row).await?),
            // A meeting with nothing to read keeps what it had; one whose summary is held back does not.
            (None, Some(reason)) if reason == input::NOTHING => Ok(()),
            _ => Ok(meetings::clear_summary(tx, output.meeting).await?),
        }
    }
}
