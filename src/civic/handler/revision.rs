//! The work that a new revision of a meeting starts.

use super::{
    FetchDocument, FetchDocumentArgs, SummariseItem, SummariseItemArgs, SummariseMeeting, SummariseMeetingArgs,
    TrackMatter, TrackMatterArgs, fetch_meeting::Agenda, next,
};
use crate::{
    civic::{
        model::{CitySlug, Fingerprint, ParsedItem, Vendor, WebUrl, identify, matter_priority, meeting_priority},
        store::{
            ItemId, RevisionId, items,
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
use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry};

/// Writes the items and their documents, and enqueues the tree of jobs that ends in the meeting's summary.
pub(super) async fn start(tx: &PgTx, agenda: &Agenda, revision: RevisionId, ctx: &Context) -> Result<(), HandlerError> {
    let parsed = &agenda.content.items;
    // Items that were found in a document stay until it is read anew.
    let rows = if agenda.segment { Vec::new() } else { items::replace(tx, agenda.meeting, parsed).await? };
    let (named, addresses) = references(agenda, &rows);
    let refs = refs::replace(tx, agenda.meeting, &named).await?;
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
        let url =
            addresses.get(&(reference.item, reference.url.clone())).map_or(reference.url.as_str(), |url| url.as_str());
        jobs.push(fetch(agenda, reference, url, revision, ctx)?.child_of(parent).priority(priority));
    }
    let whose = (&agenda.city.city.slug, agenda.city.city.source.vendor);
    for (item, &row) in parsed.iter().zip(&rows) {
        jobs.extend(track(whose, item, row, ctx)?.map(|job| job.priority(matter_priority(days))));
    }
    enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e))
}

/// Writes the items and their documents of a revision that is there: what is as it should be stays untouched.
pub(super) async fn rewrite(tx: &PgTx, agenda: &Agenda) -> Result<(), HandlerError> {
    let items = &agenda.content.items;
    let rows = if agenda.segment { Vec::new() } else { items::replace(tx, agenda.meeting, items).await? };
    refs::replace(tx, agenda.meeting, &references(agenda, &rows).0).await?;
    Ok(())
}

pub(super) async fn put(tx: &PgTx, jobs: Vec<NewJob>) -> Result<Vec<JobId>, HandlerError> {
    let enqueued = enqueue(tx, &jobs, Notify::No).await.map_err(|e| next::refused(&e))?;
    Ok(enqueued.into_iter().map(Enqueued::id).collect())
}

/// The addresses as the agenda shows them, by item and address without a signature.
pub(super) type Addresses = BTreeMap<(Option<ItemId>, String), WebUrl>;

/// The agenda of the meeting and the attachments of its items, each address once an item.
fn references(agenda: &Agenda, rows: &[ItemId]) -> (Vec<NewRef>, Addresses) {
    let own = agenda.content.meeting.agenda_url.iter().map(|url| (None, "Agenda", url));
    distinct(own.chain(of_items(&agenda.content.items, rows)))
}

/// The attachments of items, each address once an item.
pub(super) fn attachments(items: &[ParsedItem], rows: &[ItemId]) -> (Vec<NewRef>, Addresses) {
    distinct(of_items(items, rows))
}

fn of_items<'a>(items: &'a [ParsedItem], rows: &'a [ItemId]) -> impl Iterator<Item = Shown<'a>> {
    items.iter().zip(rows).flat_map(|(item, &row)| {
        item.attachments.iter().map(move |attachment| (Some(row), attachment.name.as_str(), &attachment.url))
    })
}

/// An item, a name and an address, as an agenda shows them.
pub(super) type Shown<'a> = (Option<ItemId>, &'a str, &'a WebUrl);

pub(super) fn distinct<'a>(all: impl Iterator<Item = Shown<'a>>) -> (Vec<NewRef>, Addresses) {
    let (mut refs, mut addresses) = (Vec::new(), Addresses::new());
    for (item, name, url) in all {
        let new = NewRef::new(item, name, url);
        if let Entry::Vacant(place) = addresses.entry((item, new.url.clone())) {
            place.insert(url.clone());
            refs.push(new);
        }
    }
    (refs, addresses)
}

fn fetch(
    agenda: &Agenda,
    reference: &StoredRef,
    url: &str,
    revision: RevisionId,
    ctx: &Context,
) -> Result<NewJob, HandlerError> {
    let (id, vendor) = (reference.id, agenda.city.city.source.vendor);
    let (url, as_of, segment) = (url.to_owned(), agenda.as_of, has_items(agenda, reference));
    let args = FetchDocumentArgs { reference: id, revision, url, vendor, recheck: false, as_of, segment };
    next::next::<FetchDocument>(&args, format!("doc:{revision}:{id}"), ctx)
}

/// Whether a document is the meeting's own agenda, in which its items are to be found.
pub(super) fn has_items(agenda: &Agenda, reference: &StoredRef) -> bool {
    let own = agenda.content.meeting.agenda_url.as_ref().map(|url| NewRef::new(None, "", url).url);
    agenda.segment && reference.item.is_none() && own.as_ref() == Some(&reference.url)
}

/// None for an item whose matter nothing identifies.
pub(super) fn track(
    (city, vendor): (&CitySlug, Vendor),
    item: &ParsedItem,
    row: ItemId,
    ctx: &Context,
) -> Result<Option<NewJob>, HandlerError> {
    let Some(matter) = identify(item.matter.as_ref(), &item.title, vendor.names_matters()) else { return Ok(None) };
    let urls: BTreeSet<&WebUrl> = item.attachments.iter().map(|attachment| &attachment.url).collect();
    let attachments = Fingerprint::of(&urls);
    let key = format!("mat:{city}:{}:{row}:{attachments}", matter.key);
    next::next::<TrackMatter>(&TrackMatterArgs { item: row, attachments }, key, ctx).map(Some)
}
