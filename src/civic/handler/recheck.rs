//! Documents of a near meeting, asked for again: vendors put other bytes behind the same address, and no agenda tells.

use super::{FetchDocument, FetchDocumentArgs, fetch_meeting::Agenda, next, revision::has_items};
use crate::{
    civic::{
        model::{WebUrl, meeting_priority},
        settings::CivicSettings,
        store::{
            RevisionId,
            found::{self, Due},
            refs::NewRef,
        },
    },
    fleet::{
        enqueue::{Notify, enqueue},
        handler::{Context, HandlerError},
        job::NewJob,
        ledger::PgTx,
    },
};
use jiff::Timestamp;
use std::collections::HashMap;

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
    // The agenda that was just read has fresh signatures: nobody need ask for it once more.
    let attachments = agenda.content.items.iter().flat_map(|item| &item.attachments);
    let fresh: HashMap<String, &WebUrl> =
        attachments.map(|attachment| (NewRef::new(None, "", &attachment.url).url, &attachment.url)).collect();
    let job = |Due { reference, had_items }: &Due| -> Result<NewJob, HandlerError> {
        let args = FetchDocumentArgs {
            reference: reference.id,
            revision,
            url: fresh.get(&reference.url).map_or_else(|| reference.url.clone(), ToString::to_string),
            vendor: agenda.city.city.source.vendor,
            recheck: true,
            as_of: None,
            segment: has_items(agenda, reference) || (agenda.segment && *had_items),
        };
        let key = format!("chk:{}:{slot}", reference.id);
        Ok(next::next::<FetchDocument>(&args, key, ctx)?.priority(meeting_priority(days)))
    };
    let jobs = due.iter().map(job).collect::<Result<Vec<_>, _>>()?;
    enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e))
}
