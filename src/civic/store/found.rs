//! References that a document leads to, and what became of the bytes behind an address.

use super::{
    ItemId, MeetingId, RefId,
    refs::{NewRef, StoredRef},
};
use crate::{civic::model::Fingerprint, db::Statements};
use std::time::Duration;
use tokio_postgres::{Error, types::Json};

/// Documents of one meeting that are asked for again at one look; an agenda of the largest cities has some hundreds.
const MAX_DUE: i64 = 500;

const WITHDRAW: &str = "\
update document_refs d set status = 'withdrawn' where d.meeting_id = $1 and d.found_in = $2 and d.status <> 'withdrawn'
  and not exists (select from jsonb_to_recordset($3) as r (url text) where r.url = d.url)";

/// What an agenda of the meeting names itself is fetched there.
const UPSERT: &str = "\
insert into document_refs as d (meeting_id, item_id, url, name, signed, found_in)
select $1, $2, url, name, signed, $4 from jsonb_to_recordset($3) as r (url text, name text, signed boolean)
where not exists (select from document_refs o where o.meeting_id = $1 and o.url = r.url and o.found_in is null
                  and o.status <> 'withdrawn')
on conflict (meeting_id, coalesce(item_id, 0), url) do update set
  found_in = excluded.found_in, signed = excluded.signed, status = case when d.sha256 is null then 'listed' else 'fetched' end
where d.status = 'withdrawn'";

const ROWS: &str = "\
select d.id, d.url from document_refs d where d.meeting_id = $1 and d.found_in = $2 and d.status <> 'withdrawn' order by d.id";

/// Writes what the document of a reference leads to; what it no longer leads to is withdrawn.
///
/// # Errors
/// When the database fails.
pub async fn replace<C: Statements>(
    client: &C,
    (meeting, item): (MeetingId, Option<ItemId>),
    parent: RefId,
    found: &[NewRef],
) -> Result<Vec<StoredRef>, Error> {
    client.execute(WITHDRAW, &[&meeting.0, &parent.0, &Json(found)]).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    client.execute(UPSERT, &[&meeting.0, &item.map(|item| item.0), &Json(found), &parent.0]).await?;
    let rows = client.query(ROWS, &[&meeting.0, &parent.0]).await?;
    Ok(rows.iter().map(|row| StoredRef { id: RefId(row.get(0)), item, url: row.get(1) }).collect())
}

const WITHDRAW_OF_ITEMS: &str = "\
update document_refs d set status = 'withdrawn'
where d.meeting_id = $1 and d.found_in = $2 and d.item_id is not null and d.status <> 'withdrawn'
  and not exists (select from jsonb_to_recordset($3) as r (item bigint, url text) where r.item = d.item_id and r.url = d.url)";

const UPSERT_OF_ITEMS: &str = "\
insert into document_refs as d (meeting_id, item_id, url, name, signed, found_in)
select $1, item, url, name, signed, $2 from jsonb_to_recordset($3) as r (item bigint, url text, name text, signed boolean)
on conflict (meeting_id, coalesce(item_id, 0), url) do update set
  found_in = excluded.found_in, signed = excluded.signed, status = case when d.sha256 is null then 'listed' else 'fetched' end
where d.status = 'withdrawn'";

const ROWS_OF_ITEMS: &str = "\
select d.id, d.item_id, d.url from document_refs d
where d.meeting_id = $1 and d.found_in = $2 and d.item_id is not null and d.status <> 'withdrawn' order by d.id";

/// Writes which documents an agenda links at its items; what it no longer links is withdrawn. `found` must hold an address
/// once an item.
///
/// # Errors
/// When the database fails.
pub async fn replace_of_items<C: Statements>(
    client: &C,
    meeting: MeetingId,
    agenda: RefId,
    found: &[NewRef],
) -> Result<Vec<StoredRef>, Error> {
    client.execute(WITHDRAW_OF_ITEMS, &[&meeting.0, &agenda.0, &Json(found)]).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    client.execute(UPSERT_OF_ITEMS, &[&meeting.0, &agenda.0, &Json(found)]).await?;
    let rows = client.query(ROWS_OF_ITEMS, &[&meeting.0, &agenda.0]).await?;
    let item = |id: Option<i64>| id.map(ItemId);
    Ok(rows.iter().map(|row| StoredRef { id: RefId(row.get(0)), item: item(row.get(1)), url: row.get(2) }).collect())
}

/// Other bytes behind an address are a row of their own. The lock orders two that fetch the same; the update takes its row from
/// it, so that what was there before is read before.
const FETCHED: &str = "\
with known as materialized (
  select id, sha256 from document_refs where id = $1 for no key update
), written as (
  update document_refs d set sha256 = $2, fetched_at = now(), checked_at = now(), etag = $3, last_modified = $4,
    status = case when d.status = 'withdrawn' then d.status else 'fetched' end
  from known where d.id = known.id returning d.id, known.sha256 as before
), changed as (
  insert into document_changes (ref_id, old_sha256, new_sha256)
  select id, before, $2 from written where before <> $2 returning 1)
select exists (select from changed)";

/// Notes which bytes an address gave, and with which marks of their version. True: they are others than before.
///
/// # Errors
/// When the database fails.
pub async fn fetched<C: Statements>(
    client: &C,
    reference: RefId,
    sha256: &Fingerprint,
    (etag, last_modified): (Option<&str>, Option<&str>),
) -> Result<bool, Error> {
    let row = client.query_one(FETCHED, &[&reference.0, &sha256.as_str(), &etag, &last_modified]).await?;
    Ok(row.get(0))
}

/// Notes which bytes an address gave once, unless it is known already which it gave since.
///
/// # Errors
/// When the database fails.
pub async fn replayed<C: Statements>(client: &C, reference: RefId, sha256: &Fingerprint) -> Result<(), Error> {
    let sql = "update document_refs set sha256 = $2, fetched_at = now(), \
               status = case when status = 'withdrawn' then status else 'fetched' end where id = $1 and sha256 is null";
    client.execute(sql, &[&reference.0, &sha256.as_str()]).await.map(drop)
}

/// Notes that an address still gives the same.
///
/// # Errors
/// When the database fails.
pub async fn unchanged<C: Statements>(client: &C, reference: RefId) -> Result<(), Error> {
    client.execute("update document_refs set checked_at = now() where id = $1", &[&reference.0]).await.map(drop)
}

const DUE: &str = "\
select d.id, d.item_id, d.url, d.item_id is null and d.found_in is not null and exists (
         select from agenda_segments s where s.meeting_id = d.meeting_id and s.sha256 = d.sha256)
from document_refs d where d.meeting_id = $1 and d.status = 'fetched'
  and coalesce(d.checked_at, d.fetched_at) <= now() - make_interval(secs => $2)
order by coalesce(d.checked_at, d.fetched_at), d.id limit $3";

/// A document that may be asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Where it is referred to.
    pub reference: StoredRef,
    /// Whether it lies behind a page, and the meeting's items were found in it.
    pub had_items: bool,
}

/// The documents of a meeting that nobody has asked for within a time, the longest unasked first.
///
/// # Errors
/// When the database fails.
pub async fn due<C: Statements>(client: &C, meeting: MeetingId, within: Duration) -> Result<Vec<Due>, Error> {
    let rows = client.query(DUE, &[&meeting.0, &within.as_secs_f64(), &MAX_DUE]).await?;
    let item = |id: Option<i64>| id.map(ItemId);
    let reference =
        |row: &tokio_postgres::Row| StoredRef { id: RefId(row.get(0)), item: item(row.get(1)), url: row.get(2) };
    Ok(rows.iter().map(|row| Due { reference: reference(row), had_items: row.get(3) }).collect())
}
