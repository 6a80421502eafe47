//! What comes after its parent has begun: a dead letter that an operator gave back, a requeued summary.

use super::{SummariseItem, SummariseItemArgs, SummariseMeeting, SummariseMeetingArgs, next};
use crate::{
    civic::store::{ItemId, MeetingId, RevisionId, revisions},
    fleet::{
        enqueue::{enqueue_one, will_begin},
        handler::{Context, HandlerError},
        ledger::PgTx,
    },
};

/// Has the meeting, and before it the item if one is given, summarised once more, unless the job's parent will do that
/// anyway or a newer revision has taken over.
pub(super) async fn resummarise(
    tx: &PgTx,
    meeting: MeetingId,
    item: Option<ItemId>,
    revision: RevisionId,
    ctx: &Context,
) -> Result<(), HandlerError> {
    let Some(parent) = ctx.parent else { return Ok(()) };
    if will_begin(tx, parent).await? || !revisions::is_current(tx, revision).await? {
        return Ok(());
    }
    // Keyed by attempt: a job may be given back more than once.
    let late = format!("late:{}:{}", ctx.job, ctx.epoch);
    let args = SummariseMeetingArgs { meeting, revision };
    let top = next::next::<SummariseMeeting>(&args, format!("sum:meeting:{revision}:{late}"), ctx)?;
    let top = if item.is_some() { top.waits_for_children() } else { top };
    let top = enqueue_one(tx, top).await.map_err(|e| next::refused(&e))?.id();
    if let Some(item) = item {
        let args = SummariseItemArgs { item, revision };
        let job = next::next::<SummariseItem>(&args, format!("sum:item:{revision}:{item}:{late}"), ctx)?;
        enqueue_one(tx, job.child_of(top)).await.map_err(|e| next::refused(&e))?;
    }
    Ok(())
}
