//! What changed between two states of a meeting. Pure.

use super::{Evidence, ParsedItem, ParsedMeeting};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Longest text of a change that is kept, in characters.
const TEXT_CHARS: usize = 200;

/// Kinds of changes. A closed set: they are counted, and stored by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The source lists a new meeting.
    MeetingListed,
    /// Its agenda was read for the first time.
    AgendaPublished,
    /// An item is new on the agenda.
    ItemAdded,
    /// An item is no longer on it.
    ItemRemoved,
    /// An item has other words.
    ItemRetitled,
    /// An item has another printed number.
    ItemRenumbered,
    /// A document is new, of the meeting or of an item that was there.
    DocumentAdded,
    /// A document is gone.
    DocumentRemoved,
    /// The meeting is on another day.
    DateChanged,
    /// It is at another time.
    TimeChanged,
    /// It is elsewhere.
    PlaceChanged,
    /// It was cancelled, restored, postponed, withdrawn and so on.
    StatusChanged,
    /// It has another title or body.
    TitleChanged,
    /// Anything else that an agenda says, such as a note.
    OtherChanged,
}

impl ChangeKind {
    /// Its name in the database, in JSON and as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MeetingListed => "meeting_listed",
            Self::AgendaPublished => "agenda_published",
            Self::ItemAdded => "item_added",
            Self::ItemRemoved => "item_removed",
            Self::ItemRetitled => "item_retitled",
            Self::ItemRenumbered => "item_renumbered",
            Self::DocumentAdded => "document_added",
            Self::DocumentRemoved => "document_removed",
            Self::DateChanged => "date_changed",
            Self::TimeChanged => "time_changed",
            Self::PlaceChanged => "place_changed",
            Self::StatusChanged => "status_changed",
            Self::TitleChanged => "title_changed",
            Self::OtherChanged => "other_changed",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// Its kind.
    pub kind: ChangeKind,
    /// The vendor's id of the item; none: it is about the meeting.
    pub item: Option<String>,
    /// What was said before, cut to 200 characters.
    pub before: Option<String>,
    /// What is said now, cut to 200 characters.
    pub after: Option<String>,
    /// For a status: why.
    pub evidence: Option<String>,
}

impl Change {
    /// A change without more to say.
    #[must_use]
    pub const fn only(kind: ChangeKind) -> Self {
        Self { kind, item: None, before: None, after: None, evidence: None }
    }

    /// A change of the meeting's status.
    #[must_use]
    pub fn status(before: &str, after: &str, evidence: Option<&Evidence>) -> Self {
        let evidence = evidence.and_then(|evidence| cut(Some(&evidence.text)));
        Self { evidence, ..Self::of(ChangeKind::StatusChanged, None, Some(before), Some(after)) }
    }

    fn of(kind: ChangeKind, item: Option<&str>, before: Option<&str>, after: Option<&str>) -> Self {
        let item = item.map(str::to_owned);
        Self { kind, item, before: cut(before), after: cut(after), evidence: None }
    }
}

fn cut(text: Option<&str>) -> Option<String> {
    text.map(|text| text.chars().take(TEXT_CHARS).collect())
}

/// What a listing says of a meeting that the one before didn't: day, time, place, status, title.
#[must_use]
pub fn listing_changes(before: &ParsedMeeting, after: &ParsedMeeting) -> Vec<Change> {
    let text = |value: Option<String>| value;
    let pairs = [
        (ChangeKind::DateChanged, Some(before.local_date.to_string()), Some(after.local_date.to_string())),
        (
            ChangeKind::TimeChanged,
            text(before.local_time.map(|time| time.to_string())),
            text(after.local_time.map(|time| time.to_string())),
        ),
        (ChangeKind::PlaceChanged, before.location.clone(), after.location.clone()),
        (ChangeKind::TitleChanged, Some(heading(before)), Some(heading(after))),
    ];
    let changed = pairs.into_iter().filter(|(_, before, after)| before != after);
    let mut changes: Vec<Change> =
        changed.map(|(kind, before, after)| Change::of(kind, None, before.as_deref(), after.as_deref())).collect();
    if before.status != after.status {
        let (from, to) = (before.status.as_str(), after.status.as_str());
        changes.push(Change::status(from, to, after.status_evidence.as_ref()));
    }
    changes
}

fn heading(meeting: &ParsedMeeting) -> String {
    if meeting.body_name.is_empty() || meeting.body_name == meeting.title {
        return meeting.title.clone();
    }
    format!("{} ({})", meeting.title, meeting.body_name)
}

/// What an agenda says that the one before didn't: items and documents.
///
/// What the listing tells is left to [`listing_changes`]. Two agendas that differ in nothing of that, such as in a note, give
/// [`ChangeKind::OtherChanged`].
#[must_use]
pub fn agenda_changes(
    (meeting_before, before): (&ParsedMeeting, &[ParsedItem]),
    (meeting_after, after): (&ParsedMeeting, &[ParsedItem]),
) -> Vec<Change> {
    let mut changes = Vec::new();
    let pairs = pairs(before, after);
    let kept: BTreeSet<&str> = pairs.iter().map(|(old, _)| old.vendor_id.as_str()).collect();
    let found: BTreeSet<&str> = pairs.iter().map(|(_, new)| new.vendor_id.as_str()).collect();
    let whole = |kind, item: &ParsedItem, old: bool| {
        let (title, id) = (Some(item.title.as_str()), Some(item.vendor_id.as_str()));
        if old { Change::of(kind, id, title, None) } else { Change::of(kind, id, None, title) }
    };
    let added = after.iter().filter(|item| !found.contains(item.vendor_id.as_str()));
    changes.extend(added.map(|item| whole(ChangeKind::ItemAdded, item, false)));
    let removed = before.iter().filter(|item| !kept.contains(item.vendor_id.as_str()));
    changes.extend(removed.map(|item| whole(ChangeKind::ItemRemoved, item, true)));
    for (old, new) in &pairs {
        changes.extend(item_changes(old, new));
    }
    documents(&mut changes, None, &meeting_papers(meeting_before), &meeting_papers(meeting_after));
    if changes.is_empty() && before != after {
        changes.push(Change::only(ChangeKind::OtherChanged));
    }
    changes
}

/// Items by the vendor's id; those that are left over by their title, if nobody else has it: some vendors give new ids.
fn pairs<'a>(before: &'a [ParsedItem], after: &'a [ParsedItem]) -> Vec<(&'a ParsedItem, &'a ParsedItem)> {
    let by_id: BTreeMap<&str, &ParsedItem> = after.iter().map(|item| (item.vendor_id.as_str(), item)).collect();
    let mut pairs: Vec<(&ParsedItem, &ParsedItem)> =
        before.iter().filter_map(|old| Some((old, *by_id.get(old.vendor_id.as_str())?))).collect();
    let paired: BTreeSet<&str> = pairs.iter().map(|(old, _)| old.vendor_id.as_str()).collect();
    let (old, new) = (alone(before, &paired), alone(after, &paired));
    pairs.extend(old.into_iter().filter_map(|(title, old)| Some((old?, (*new.get(title)?)?))));
    pairs
}

/// Items that are not paired by their id, by title; none where two have it.
fn alone<'a>(items: &'a [ParsedItem], paired: &BTreeSet<&str>) -> BTreeMap<&'a str, Option<&'a ParsedItem>> {
    let mut alone: BTreeMap<&str, Option<&ParsedItem>> = BTreeMap::new();
    for item in items.iter().filter(|item| !paired.contains(item.vendor_id.as_str())) {
        alone.entry(item.title.as_str()).and_modify(|known| *known = None).or_insert(Some(item));
    }
    alone
}

fn item_changes(old: &ParsedItem, new: &ParsedItem) -> Vec<Change> {
    let id = Some(new.vendor_id.as_str());
    let mut changes = Vec::new();
    if old.title != new.title {
        changes.push(Change::of(ChangeKind::ItemRetitled, id, Some(&old.title), Some(&new.title)));
    }
    if old.number != new.number {
        changes.push(Change::of(ChangeKind::ItemRenumbered, id, old.number.as_deref(), new.number.as_deref()));
    }
    let papers = |item: &ParsedItem| {
        item.attachments.iter().map(|a| (a.url.to_string(), a.name.clone())).collect::<BTreeMap<_, _>>()
    };
    documents(&mut changes, id, &papers(old), &papers(new));
    changes
}

fn meeting_papers(meeting: &ParsedMeeting) -> BTreeMap<String, String> {
    let own = [("Agenda", &meeting.agenda_url), ("Minutes", &meeting.minutes_url)];
    let own = own.into_iter().filter_map(|(name, url)| Some((url.as_ref()?.to_string(), name.to_owned())));
    let published = meeting.documents.iter();
    own.chain(published.filter_map(|document| Some((document.url.as_ref()?.to_string(), document.name.clone()))))
        .collect()
}

fn documents(
    changes: &mut Vec<Change>,
    item: Option<&str>,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) {
    let added = new.iter().filter(|(url, _)| !old.contains_key(*url));
    changes.extend(added.map(|(_, name)| Change::of(ChangeKind::DocumentAdded, item, None, Some(name))));
    let gone = old.iter().filter(|(url, _)| !new.contains_key(*url));
    changes.extend(gone.map(|(_, name)| Change::of(ChangeKind::DocumentRemoved, item, Some(name), None)));
}

#[cfg(test)]
mod tests;
