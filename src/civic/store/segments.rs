//! What was found in agendas that are only a document. Never changed: another reading adds a row.

use super::{CityId, MeetingId, RevisionId};
use crate::{
    civic::{
        agenda::{Other, SEGMENTER, Segmented, Suspect},
        model::{CitySlug, Fingerprint},
    },
    db::Statements,
};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use tokio_postgres::{Error, types::Json};

/// Days before and after a meeting among whose meetings the same document is looked for.
const NEAR_DAYS: i32 = 60;

/// A meeting whose agenda is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its city.
    pub city: CitySlug,
    /// The city's row.
    pub city_id: CityId,
    /// Its day.
    pub day: Date,
}

/// Whose agenda it is; none: unknown.
///
/// # Errors
/// When the database fails.
pub async fn subject<C: Statements>(client: &C, meeting: MeetingId) -> Result<Option<Subject>, Error> {
    let sql = "select c.slug, c.id, m.local_date from meetings m join cities c on c.id = m.city_id where m.id = $1";
    let row = client.query_opt(sql, &[&meeting.0]).await?;
    Ok(row.map(|row| Subject { city: CitySlug(row.get(0)), city_id: CityId(row.get(1)), day: row.get(2) }))
}

const SHARING: &str = "\
select m.title, m.local_date from meetings m
where m.city_id = $1 and m.local_date between $2::date - $5::int and $2::date + $5::int and m.id <> $3
  and exists (select from document_refs d
              where d.meeting_id = m.id and coalesce(d.item_id, 0) = 0 and d.sha256 = $4 and d.status = 'fetched')
order by m.local_date, m.id limit 10";

/// Meetings near by that have the same document for their agenda.
///
/// # Errors
/// When the database fails.
pub async fn sharing<C: Statements>(
    client: &C,
    subject: &Subject,
    meeting: MeetingId,
    sha256: &Fingerprint,
) -> Result<Vec<Other>, Error> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&subject.city_id.0, &subject.day, &meeting.0, &sha256.as_str(), &NEAR_DAYS];
    let rows = client.query(SHARING, &parameters).await?;
    Ok(rows.iter().map(|row| Other { title: row.get(0), day: row.get(1) }).collect())
}

const PUT: &str = "\
insert into agenda_segments (meeting_id, revision_id, sha256, segmenter, method, items, warnings, suspect)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (revision_id, sha256, segmenter) do nothing";

/// Writes what was found; the first reading of a version stays.
///
/// # Errors
/// When the database fails.
pub async fn put<C: Statements>(
    client: &C,
    (meeting, revision): (MeetingId, RevisionId),
    sha256: &Fingerprint,
    found: &Result<Segmented, Suspect>,
) -> Result<(), Error> {
    let (method, items, warnings, suspect) = match found {
        Ok(found) => (found.method, found.items.as_slice(), found.warnings.as_slice(), None),
        Err(suspect) => (suspect.method, [].as_slice(), [].as_slice(), Some(suspect.why.as_str())),
    };
    let (sha256, method, items) = (sha256.as_str(), method.as_str(), Json(items));
    client
        .execute(PUT, &[&meeting.0, &revision.0, &sha256, &SEGMENTER, &method, &items, &warnings, &suspect])
        .await
        .map(drop)
}

/// The newest reading of a meeting's agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// The city.
    pub city: CitySlug,
    /// The meeting.
    pub meeting: MeetingId,
    /// Its day.
    pub day: Date,
    /// Its title.
    pub title: String,
    /// By what its items were found.
    pub method: String,
    /// How many there are.
    pub items: i32,
    /// Why none are believed; none: they are.
    pub suspect: Option<String>,
    /// What was left out.
    pub warnings: Vec<String>,
    /// When it was read.
    pub read_at: Timestamp,
}

const NEWEST: &str = "\
select c.slug, m.id, m.local_date, m.title, s.method, jsonb_array_length(s.items), s.suspect, s.warnings, s.at
from agenda_segments s join meetings m on m.id = s.meeting_id join cities c on c.id = m.city_id
where s.id = (select max(x.id) from agenda_segments x where x.meeting_id = s.meeting_id)
  and (not $1 or s.suspect is not null)
order by s.id desc limit $2";

/// The newest readings, one a meeting; with `suspect` only those of which no items are believed.
///
/// # Errors
/// When the database fails.
pub async fn newest<C: Statements>(client: &C, suspect: bool, limit: i64) -> Result<Vec<Reading>, Error> {
    let rows = client.query(NEWEST, &[&suspect, &limit]).await?;
    let read = |row: &tokio_postgres::Row| Reading {
        city: CitySlug(row.get(0)),
        meeting: MeetingId(row.get(1)),
        day: row.get(2),
        title: row.get(3),
        method: row.get(4),
        items: row.get(5),
        suspect: row.get(6),
        warnings: row.get(7),
        read_at: row.get(8),
    };
    Ok(rows.iter().map(read).collect())
}
