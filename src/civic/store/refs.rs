//! Which documents a meeting and its items refer to.

use super::{ItemId, MeetingId, RefId};
use crate::{
    civic::model::{Fingerprint, WebUrl},
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
    /// Its address.
    pub url: WebUrl,
}

/// A document that is referred to, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Its hash; none: it was not fetched.
    pub sha256: Option<String>,
    /// Its text; none: not fetched, not extracted, or it has none.
    pub text: Option<String>,
}

const UPSERT: &str = "\
insert into document_refs as d (meeting_id, item_id, url, name)
select $1, item, url, name from jsonb_to_recordset($2) as r (item bigint, url text, name text)
on conflict (meeting_id, coalesce(item_id, 0), url) do update set
  name = excluded.name, status = case when d.sha256 is null then 'listed' else 'fetched' end
where d.name <> excluded.name or d.status = 'withdrawn'";

const WITHDRAW: &str = "\
update document_refs d set status = 'withdrawn' where meeting_id = $1 and status <> 'withdrawn'
  and not exists (select from jsonb_to_recordset($2) as r (item bigint, url text)
                  where r.item is not distinct from d.item_id and r.url = d.url)";

const ROWS: &str = "\
select d.id, coalesce(d.item_id, 0), d.url from document_refs d
where d.meeting_id = $1 and d.status <> 'withdrawn' order by d.item_id nulls first, d.id";

/// A reference and its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRef {
    /// The row.
    pub id: RefId,
    /// The item; none: the agenda of the meeting itself.
    pub item: Option<ItemId>,
    /// Its address.
    pub url: String,
}

/// Writes what an agenda refers to: what it no longer names stays, withdrawn. The same address twice at one item is
/// one reference; `refs` must not hold such pairs.
///
/// # Errors
/// When the database fails.
pub async fn replace<C: Statements>(client: &C, meeting: MeetingId, refs: &[NewRef]) -> Result<Vec<StoredRef>, Error> {
    client.execute(WITHDRAW, &[&meeting.0, &Json(refs)]).await?;
    client.execute(UPSERT, &[&meeting.0, &Json(refs)]).await?;
    let rows = client.query(ROWS, &[&meeting.0]).await?;
    let item = |id: i64| (id != 0).then_some(ItemId(id));
    Ok(rows.iter().map(|row| StoredRef { id: RefId(row.get(0)), item: item(row.get(1)), url: row.get(2) }).collect())
}

/// Whose document it is: the meeting, and the item if it has one. None: unknown, or no longer on the agenda.
///
/// # Errors
/// When the database fails.
pub async fn place<C: Statements>(client: &C, reference: RefId) -> Result<Option<(MeetingId, Option<ItemId>)>, Error> {
    let sql = "select meeting_id, item_id from document_refs where id = $1 and status <> 'withdrawn'";
    let row = client.query_opt(sql, &[&reference.0]).await?;
    Ok(row.map(|row| (MeetingId(row.get(0)), row.get::<_, Option<i64>>(1).map(ItemId))))
}

/// Notes which bytes an address gave.
///
/// # Errors
/// When the database fails.
pub async fn set_fetched<C: Statements>(client: &C, reference: RefId, sha256: &Fingerprint) -> Result<(), Error> {
    let sql = "update document_refs set sha256 = $2, fetched_at = now(), \
               status = case when status = 'withdrawn' then status else 'fetched' end where id = $1";
    client.execute(sql, &[&reference.0, &sha256.as_str()]).await.map(drop)
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
    let sql = "select d.name, d.sha256, nullif(e.body, '') from document_refs d \
               left join extractions e on e.sha256 = d.sha256 and e.extractor = $3 \
               where d.meeting_id = $1 and d.item_id is not distinct from $2 and d.status <> 'withdrawn' order by d.id";
    let rows = client.query(sql, &[&meeting.0, &item.map(|item| item.0), &extractor]).await?;
    Ok(rows.iter().map(|row| Document { name: row.get(0), sha256: row.get(1), text: row.get(2) }).collect())
}
