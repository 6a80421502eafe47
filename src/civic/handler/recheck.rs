//! Documents of a near meeting, asked for again: vendors put other bytes behind the same address, and no agenda tells.

use super::{FetchDocument, FetchDocumentArgs, fetch_meeting::Agenda, next, revision::has_items};
use crate::{
    civic::{
        model::meeting_priority,
        settings::CivicSettings,
        store::{RevisionId, found, refs::StoredRef},
    },
    fleet::{
        enqueue::{Notify, enqueue},
        handler::{Context, HandlerError},
        job::NewJob,
        ledger::PgTx,
    },
};
use jiff::Timestamp;

/// Has the documents of an unchanged agenda asked for that nobody has asked for within
/// [`CivicSettings::document_recheck`].
pub(super) async fn start(
    tx: &PgTx,
    agenda: &Agenda,
    revision: RevisionId,
    settings: &CivicSettings,
    ctx: &Context,
) -> Result<(), HandlerError> {
    let days = agenda.city.days_to(agenda.content.meeting.local_date);
    if days.unsigned_abs() > settings.reread_days.into() {
        return Ok(());
    }
    let due = found::due(tx, agenda.meeting, settings.document_recheck).await?;
    // One for each document and time, however often the agenda is read: one that fails is tried again after as long.
    let seconds = i64::try_from(settings.document_recheck.as_secs()).unwrap_or(i64::MAX).max(1);
    let slot = Timestamp::now().as_second().div_euclid(seconds);
    let job = |reference: &StoredRef| -> Result<NewJob, HandlerError> {
        let args = FetchDocumentArgs {
            reference: reference.id,
            revision,
            url: reference.url.clone(),
            vendor: agenda.city.city.source.vendor,
            recheck: true,
            as_of: None,
            segment: has_items(agenda, reference),
        };
        let key = format!("chk:{}:{slot}", reference.id);
        Ok(next::next::<FetchDocument>(&args, key, ctx)?.priority(meeting_priority(days)))
    };
    let jobs = due.iter().map(job).collect::<Result<Vec<_>, _>>()?;
    enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e))
}
