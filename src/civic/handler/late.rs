//! What comes after its parent has begun: a dead letter that an operator gave back, a requeued summary, other bytes behind an
//! address.

use super::{SummariseItem, SummariseItemArgs, SummariseMeeting, SummariseMeetingArgs, next};
use crate::{
    civic::store::{ItemId, MeetingId, RevisionId, revisions},
    fleet::{
        enqueue::{enqueue_one, will_begin},
        handler::{Context, HandlerError},
        job::JobId,
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
    if will_begin(tx, parent).await? {
        return Ok(());
    }
    again(tx, (meeting, item), revision, false, ctx).await.map(drop)
}

/// Has them summarised once more, unless a newer revision has taken over: none then. With `waits` the summary waits for
/// children, which the caller adds to the job that is returned.
pub(super) async fn again(
    tx: &PgTx,
    (meeting, item): (MeetingId, Option<ItemId>),
    revision: RevisionId,
    waits: bool,
    ctx: &Context,
) -> Result<Option<JobId>, HandlerError> {
    if !revisions::is_current(tx, revision).await? {
        return Ok(None);
    }
    // Keyed by attempt: a job may be given back more than once.
    let late = format!("late:{}:{}", ctx.job, ctx.epoch);
    let args = SummariseMeetingArgs { meeting, revision };
    let top = next::next::<SummariseMeeting>(&args, format!("sum:meeting:{revision}:{late}"), ctx)?;
    let top = if item.is_some() || waits { top.waits_for_children() } else { top };
    let top = enqueue_one(tx, top).await.map_err(|e| next::refused(&e))?.id();
    let Some(item) = item else { return Ok(Some(top)) };
    let args = SummariseItemArgs { item, revision };
    let job = next::next::<SummariseItem>(&args, format!("sum:item:{revision}:{item}:{late}"), ctx)?;
    let job = if waits { job.waits_for_children() } else { job };
    let job = enqueue_one(tx, job.child_of(top)).await.map_err(|e| next::refused(&e))?;
    Ok(Some(job.id()))
}
