//! Agenda items, in their newest state.

use super::{ItemId, MeetingId, SummaryId};
use crate::{
    civic::model::{CitySlug, ParsedItem, ParsedMatter},
    db::Statements,
};
use serde_json::{Value, json};
use tokio_postgres::{Error, types::Json};

/// What is to be summarised of an item, but for its documents.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredItem {
    /// The row.
    pub id: ItemId,
    /// Its meeting.
    pub meeting: MeetingId,
    /// The printed number.
    pub number: Option<String>,
    /// What it is about.
    pub title: String,
    /// The note printed on the agenda.
    pub note: Option<String>,
    /// The matter, as the source shows it.
    pub matter: Option<ParsedMatter>,
    /// Its city.
    pub city: CitySlug,
}

/// An item's line in the summary of its meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummarisedItem {
    /// The printed number.
    pub number: Option<String>,
    /// What it is about.
    pub title: String,
    /// Its summary.
    pub summary: String,
}

const DROP: &str = "\
update agenda_items set listed = false
where meeting_id = $1 and listed and not exists (select from unnest($2::text[]) k where k = vendor_id)";

const UPSERT: &str = "\
insert into agenda_items as i (meeting_id, vendor_id, sequence, number, title, note, action, consent, matter, fingerprint)
select $1, vendor_id, sequence, number, title, note, action, consent, nullif(matter, 'null'), fingerprint
from jsonb_to_recordset($2) as r (vendor_id text, sequence int, number text, title text, note text, action text,
                                  consent boolean, matter jsonb, fingerprint text)
on conflict (meeting_id, vendor_id) do update set
  sequence = excluded.sequence, number = excluded.number, title = excluded.title, note = excluded.note,
  action = excluded.action, consent = excluded.consent, matter = excluded.matter, fingerprint = excluded.fingerprint,
  listed = true
where i.fingerprint <> excluded.fingerprint or not i.listed";

/// Writes a meeting's agenda: what it no longer holds stays, unlisted. Returns the rows in the order of `items`.
///
/// # Errors
/// When the database fails.
pub async fn replace<C: Statements>(
    client: &C,
    meeting: MeetingId,
    items: &[ParsedItem],
) -> Result<Vec<ItemId>, Error> {
    let keys: Vec<&str> = items.iter().map(|item| item.vendor_id.as_str()).collect();
    client.execute(DROP, &[&meeting.0, &keys]).await?;
    let records: Vec<Value> = items.iter().map(record).collect();
    client.execute(UPSERT, &[&meeting.0, &Json(&records)]).await?;
    let sql = "select i.id from unnest($2::text[]) with ordinality k (vendor_id, n) \
               join agenda_items i on i.meeting_id = $1 and i.vendor_id = k.vendor_id order by k.n";
    let rows = client.query(sql, &[&meeting.0, &keys]).await?;
    Ok(rows.iter().map(|row| ItemId(row.get(0))).collect())
}

fn record(item: &ParsedItem) -> Value {
    json!({
        "vendor_id": item.vendor_id, "sequence": item.sequence, "number": item.number, "title": item.title,
        "note": item.note, "action": item.action, "consent": item.consent, "matter": item.matter,
        "fingerprint": item.fingerprint(),
    })
}

/// One item.
///
/// # Errors
/// When the database fails, or the stored matter is of a version that can't be read.
pub async fn find<C: Statements>(client: &C, item: ItemId) -> Result<Option<StoredItem>, Error> {
    let sql = "select i.meeting_id, i.number, i.title, i.note, i.matter, c.slug from agenda_items i \
               join meetings m on m.id = i.meeting_id join cities c on c.id = m.city_id where i.id = $1";
    let Some(row) = client.query_opt(sql, &[&item.0]).await? else { return Ok(None) };
    Ok(Some(StoredItem {
        id: item,
        meeting: MeetingId(row.get(0)),
        number: row.get(1),
        title: row.get(2),
        note: row.get(3),
        matter: row.try_get::<_, Option<Json<ParsedMatter>>>(4)?.map(|matter| matter.0),
        city: CitySlug(row.get(5)),
    }))
}

/// The summaries of a meeting's listed items, in the order of the agenda.
///
/// # Errors
/// When the database fails.
pub async fn summarised<C: Statements>(client: &C, meeting: MeetingId) -> Result<Vec<SummarisedItem>, Error> {
    let sql = "select i.number, i.title, s.body from agenda_items i join summaries s on s.id = i.summary_id \
               where i.meeting_id = $1 and i.listed order by i.sequence nulls last, i.id";
    let rows = client.query(sql, &[&meeting.0]).await?;
    Ok(rows.iter().map(|r| SummarisedItem { number: r.get(0), title: r.get(1), summary: r.get(2) }).collect())
}

/// Makes a summary the current one.
///
/// # Errors
/// When the database fails.
pub async fn set_summary<C: Statements>(client: &C, item: ItemId, summary: SummaryId) -> Result<(), Error> {
    let sql = "update agenda_items set summary_id = $2, skip_reason = null where id = $1";
    client.execute(sql, &[&item.0, &summary.0]).await.map(drop)
}

/// Notes why an item has no summary. An earlier one no longer is current: its text is gone from the agenda.
///
/// # Errors
/// When the database fails.
pub async fn set_skipped<C: Statements>(client: &C, item: ItemId, reason: &str) -> Result<(), Error> {
    let sql = "update agenda_items set summary_id = null, skip_reason = $2 where id = $1";
    client.execute(sql, &[&item.0, &reason]).await.map(drop)
}
