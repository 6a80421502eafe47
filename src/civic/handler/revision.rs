//! The work that a new revision of a meeting starts.

use super::{
    FetchDocument, FetchDocumentArgs, SummariseItem, SummariseItemArgs, SummariseMeeting, SummariseMeetingArgs,
    TrackMatter, TrackMatterArgs, fetch_meeting::Agenda, next,
};
use crate::{
    civic::{
        model::{CitySlug, Fingerprint, ParsedItem, WebUrl, matter_priority, meeting_priority},
        store::{
            ItemId, RevisionId, items, matters,
            refs::{self, NewRef, StoredRef},
        },
    },
    fleet::{
        enqueue::{Enqueued, Notify, enqueue},
        handler::{Context, HandlerError},
        job::{JobId, NewJob},
        ledger::PgTx,
    },
};
use std::collections::{BTreeSet, HashMap};

/// Writes the items and their documents, and enqueues the tree of jobs that ends in the meeting's summary.
pub(super) async fn start(tx: &PgTx, agenda: &Agenda, revision: RevisionId, ctx: &Context) -> Result<(), HandlerError> {
    let parsed = &agenda.content.items;
    // Items that were found in a document stay until it is read anew.
    let rows = if agenda.segment { Vec::new() } else { items::replace(tx, agenda.meeting, parsed).await? };
    let refs = refs::replace(tx, agenda.meeting, &references(agenda, &rows)).await?;
    let with_documents: BTreeSet<ItemId> = refs.iter().filter_map(|r| r.item).collect();

    let days = agenda.city.days_to(agenda.content.meeting.local_date);
    let priority = meeting_priority(days);
    let args = SummariseMeetingArgs { meeting: agenda.meeting, revision };
    let top = next::next::<SummariseMeeting>(&args, format!("sum:meeting:{revision}"), ctx)?.priority(priority);
    // Without any child nobody would ever end the wait.
    let top = if rows.is_empty() && refs.is_empty() { top } else { top.waits_for_children() };
    let top = put(tx, vec![top]).await?[0];

    let mut jobs = Vec::with_capacity(rows.len());
    for &item in &rows {
        let args = SummariseItemArgs { item, revision };
        let job = next::next::<SummariseItem>(&args, format!("sum:item:{revision}:{item}"), ctx)?
            .child_of(top)
            .priority(priority);
        jobs.push(if with_documents.contains(&item) { job.waits_for_children() } else { job });
    }
    let waiting: HashMap<ItemId, JobId> = rows.iter().copied().zip(put(tx, jobs).await?).collect();

    let mut jobs = Vec::with_capacity(refs.len() + rows.len());
    for reference in &refs {
        let parent = reference.item.map_or(top, |item| waiting[&item]);
        jobs.push(fetch(agenda, reference, revision, ctx)?.child_of(parent).priority(priority));
    }
    for (item, &row) in parsed.iter().zip(&rows) {
        jobs.extend(track(&agenda.city.city.slug, item, row, ctx)?.map(|job| job.priority(matter_priority(days))));
    }
    enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e))
}

async fn put(tx: &PgTx, jobs: Vec<NewJob>) -> Result<Vec<JobId>, HandlerError> {
    let enqueued = enqueue(tx, &jobs, Notify::No).await.map_err(|e| next::refused(&e))?;
    Ok(enqueued.into_iter().map(Enqueued::id).collect())
}

/// The agenda of the meeting and the attachments of its items, each address once an item.
fn references(agenda: &Agenda, rows: &[ItemId]) -> Vec<NewRef> {
    let mut seen: BTreeSet<(Option<ItemId>, WebUrl)> = BTreeSet::new();
    let own = agenda.content.meeting.agenda_url.iter().map(|url| (None, "Agenda".to_owned(), url.clone()));
    let attached = agenda.content.items.iter().zip(rows).flat_map(|(item, &row)| {
        item.attachments.iter().map(move |attachment| (Some(row), attachment.name.clone(), attachment.url.clone()))
    });
    own.chain(attached)
        .filter(|(item, _, url)| seen.insert((*item, url.clone())))
        .map(|(item, name, url)| NewRef { item, name, url })
        .collect()
}

fn fetch(agenda: &Agenda, reference: &StoredRef, revision: RevisionId, ctx: &Context) -> Result<NewJob, HandlerError> {
    let vendor = agenda.city.city.source.vendor;
    let segment = agenda.segment && reference.item.is_none();
    let args = FetchDocumentArgs { reference: reference.id, revision, url: reference.url.clone(), vendor, segment };
    next::next::<FetchDocument>(&args, format!("doc:{revision}:{}", reference.id), ctx)
}

/// None for an item without a matter, or with one that nothing identifies.
pub(super) fn track(
    city: &CitySlug,
    item: &ParsedItem,
    row: ItemId,
    ctx: &Context,
) -> Result<Option<NewJob>, HandlerError> {
    let Some(matter) = item.matter.as_ref().and_then(matters::key) else { return Ok(None) };
    let urls: BTreeSet<&WebUrl> = item.attachments.iter().map(|attachment| &attachment.url).collect();
    let attachments = Fingerprint::of(&urls);
    let key = format!("mat:{city}:{matter}:{row}:{attachments}");
    next::next::<TrackMatter>(&TrackMatterArgs { item: row, attachments }, key, ctx).map(Some)
}
