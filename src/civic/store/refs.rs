//! Which documents a meeting and its items refer to.

use super::{ItemId, MeetingId, RefId};
use crate::{
    civic::model::{CitySlug, SourceItemId, SourceMeetingId, Vendor, WebUrl, unsigned},
    db::Statements,
};
use serde::Serialize;
use tokio_postgres::{Error, types::Json};

/// A reference that an agenda shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewRef {
    /// The item; none: the agenda of the meeting itself.
    pub item: Option<ItemId>,
    /// Its name.
    pub name: String,
    /// Its address, without a signature: a new one is no new reference.
    pub url: String,
    /// Its address has a signature, and expires.
    pub signed: bool,
}

impl NewRef {
    /// A reference to an address.
    #[must_use]
    pub fn new(item: Option<ItemId>, name: &str, url: &WebUrl) -> Self {
        let plain = unsigned(url.as_str());
        let signed = plain.is_some();
        Self { item, name: name.to_owned(), url: plain.unwrap_or_else(|| url.as_str().to_owned()), signed }
    }
}

/// A document that is referred to, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Its hash; none: it was not fetched.
    pub sha256: Option<String>,
    /// Its text; none: not fetched, not extracted, or it has none that could be used.
    pub text: Option<String>,
}

const UPSERT: &str = "\
insert into document_refs as d (meeting_id, item_id, url, name, signed)
select $1, item, url, name, signed from jsonb_to_recordset($2) as r (item bigint, url text, name text, signed boolean)
on conflict (meeting_id, coalesce(item_id, 0), url) do update set
  name = excluded.name, signed = excluded.signed, found_in = null,
  status = case when d.sha256 is null then 'listed' else 'fetched' end
where d.name <> excluded.name or d.status = 'withdrawn' or d.found_in is not null or d.signed <> excluded.signed";

const WITHDRAW: &str = "\
update document_refs d set status = 'withdrawn' where meeting_id = $1 and status <> 'withdrawn' and d.found_in is null
  and not exists (select from jsonb_to_recordset($2) as r (item bigint, url text)
                  where r.item is not distinct from d.item_id and r.url = d.url)";

/// What was found behind a document goes with it.
const WITHDRAW_FOUND: &str = "\
update document_refs d set status = 'withdrawn' where meeting_id = $1 and status <> 'withdrawn'
  and exists (select from document_refs p where p.id = d.found_in and p.status = 'withdrawn')";

const ROWS: &str = "\
select d.id, coalesce(d.item_id, 0), d.url from document_refs d
where d.meeting_id = $1 and d.status <> 'withdrawn' and d.found_in is null order by d.item_id nulls first, d.id";

/// A reference and its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRef {
    /// The row.
    pub id: RefId,
    /// The item; none: the agenda of the meeting itself.
    pub item: Option<ItemId>,
    /// Its address, without a signature.
    pub url: String,
}

/// Writes what an agenda refers to: what it no longer names stays, withdrawn, with what was found behind it. The same address
/// twice at one item is one reference; `refs` must not hold such pairs.
///
/// # Errors
/// When the database fails.
pub async fn replace<C: Statements>(client: &C, meeting: MeetingId, refs: &[NewRef]) -> Result<Vec<StoredRef>, Error> {
    client.execute(WITHDRAW, &[&meeting.0, &Json(refs)]).await?;
    client.execute(UPSERT, &[&meeting.0, &Json(refs)]).await?;
    client.execute(WITHDRAW_FOUND, &[&meeting.0]).await?;
    let rows = client.query(ROWS, &[&meeting.0]).await?;
    let item = |id: i64| (id != 0).then_some(ItemId(id));
    Ok(rows.iter().map(|row| StoredRef { id: RefId(row.get(0)), item: item(row.get(1)), url: row.get(2) }).collect())
}

/// A reference, and all that is needed to ask for its document again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its meeting.
    pub meeting: MeetingId,
    /// Its item; none: the agenda of the meeting itself.
    pub item: Option<ItemId>,
    /// Its address, without a signature.
    pub url: String,
    /// Its name.
    pub name: String,
    /// Its address has a signature, and expires.
    pub signed: bool,
    /// The reference whose document leads here; none: an agenda names it.
    pub found_in: Option<RefId>,
    /// The entity tag that came with its bytes.
    pub etag: Option<String>,
    /// When the site said that they changed.
    pub last_modified: Option<String>,
    /// The city.
    pub city: CitySlug,
    /// The city's vendor; none: of a newer version.
    pub vendor: Option<Vendor>,
    /// The vendor's id of the meeting.
    pub meeting_id: SourceMeetingId,
    /// The vendor's id of the item.
    pub item_id: Option<SourceItemId>,
}

const PLACE: &str = "\
select d.meeting_id, d.item_id, d.url, d.name, d.signed, d.found_in, d.etag, d.last_modified,
       c.slug, c.vendor, m.vendor_id, i.vendor_id
from document_refs d join meetings m on m.id = d.meeting_id join cities c on c.id = m.city_id
left join agenda_items i on i.id = d.item_id
where d.id = $1 and d.status <> 'withdrawn'";

/// Where a reference stands. None: unknown, or no longer on the agenda.
///
/// # Errors
/// When the database fails.
pub async fn place<C: Statements>(client: &C, reference: RefId) -> Result<Option<Place>, Error> {
    let Some(row) = client.query_opt(PLACE, &[&reference.0]).await? else { return Ok(None) };
    Ok(Some(Place {
        meeting: MeetingId(row.get(0)),
        item: row.get::<_, Option<i64>>(1).map(ItemId),
        url: row.get(2),
        name: row.get(3),
        signed: row.get(4),
        found_in: row.get::<_, Option<i64>>(5).map(RefId),
        etag: row.get(6),
        last_modified: row.get(7),
        city: CitySlug(row.get(8)),
        vendor: row.get::<_, &str>(9).parse().ok(),
        meeting_id: SourceMeetingId(row.get(10)),
        item_id: row.get::<_, Option<String>>(11).map(SourceItemId),
    }))
}

/// A document found again in the form that a model reads: garbage, and a page that only leads to a document, are none. A text
/// that another version found is better than nothing.
const TEXTS: &str = "\
select d.name, d.sha256, e.body from document_refs d
left join lateral (
  select case when e.flags && array['shell', 'garbage'] then null else nullif(e.body, '') end as body
  from extractions e where e.sha256 = d.sha256 order by (e.extractor = $3) desc, e.created_at desc limit 1) e on true
where d.meeting_id = $1 and d.item_id is not distinct from $2 and d.status <> 'withdrawn' order by d.id";

/// By the size that is stored with a large text: it is not read for this.
const BYTES: &str = "\
select coalesce(sum(e.bytes), 0)::bigint from document_refs d
cross join lateral (
  select octet_length(e.body) as bytes from extractions e
  where e.sha256 = d.sha256 order by (e.extractor = $3) desc, e.created_at desc limit 1) e
where d.meeting_id = $1 and d.item_id = $2 and d.status <> 'withdrawn'";

/// How many bytes the texts of an item's documents have together.
///
/// # Errors
/// When the database fails.
pub async fn text_bytes<C: Statements>(
    client: &C,
    meeting: MeetingId,
    item: ItemId,
    extractor: &str,
) -> Result<i64, Error> {
    Ok(client.query_one(BYTES, &[&meeting.0, &item.0, &extractor]).await?.get(0))
}

/// The documents of an item with their texts, in the order of the agenda; without an item those of the meeting itself.
///
/// # Errors
/// When the database fails.
pub async fn texts<C: Statements>(
    client: &C,
    meeting: MeetingId,
    item: Option<ItemId>,
    extractor: &str,
) -> Result<Vec<Document>, Error> {
    let rows = client.query(TEXTS, &[&meeting.0, &item.map(|item| item.0), &extractor]).await?;
    Ok(rows.iter().map(|row| Document { name: row.get(0), sha256: row.get(1), text: row.get(2) }).collect())
}
