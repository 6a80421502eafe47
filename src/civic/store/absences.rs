//! Meetings that their source no longer lists.

use super::{CityId, MeetingId};
use crate::{civic::model::Evidence, db::Statements};
use jiff::civil::Date;
use tokio_postgres::{Error, types::Json};

const LACKING: &str = "\
select id, local_date, status, missed_listings from meetings
where city_id = $1 and local_date between $2 and $3 and id <> all ($4) order by id";

const SEEN: &str = "update meetings set missed_listings = 0 where id = any ($1) and missed_listings <> 0";

const WITHDRAW: &str = "\
update meetings set status = 'withdrawn', status_evidence = $2, missed_listings = 0, updated_at = now() where id = $1";

/// A meeting that a listing lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The row.
    pub id: MeetingId,
    /// Its day.
    pub date: Date,
    /// Its status.
    pub status: String,
    /// How many listings in a row lacked it before this one.
    pub missed: i32,
}

/// Known meetings of these days that are none of `shown`.
///
/// # Errors
/// When the database fails.
pub async fn lacking<C: Statements>(
    client: &C,
    city: CityId,
    (from, to): (Date, Date),
    shown: &[MeetingId],
) -> Result<Vec<Lacking>, Error> {
    let rows = client.query(LACKING, &[&city.0, &from, &to, &ids(shown)]).await?;
    let read = |row: &tokio_postgres::Row| Lacking {
        id: MeetingId(row.get(0)),
        date: row.get(1),
        status: row.get(2),
        missed: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// A listing shows them.
///
/// # Errors
/// When the database fails.
pub async fn seen<C: Statements>(client: &C, shown: &[MeetingId]) -> Result<(), Error> {
    client.execute(SEEN, &[&ids(shown)]).await.map(drop)
}

/// So many listings in a row lack it.
///
/// # Errors
/// When the database fails.
pub async fn missed<C: Statements>(client: &C, meeting: MeetingId, listings: i32) -> Result<(), Error> {
    let sql = "update meetings set missed_listings = $2 where id = $1";
    client.execute(sql, &[&meeting.0, &listings]).await.map(drop)
}

/// Its source has withdrawn it. The listing that said it last stays, and is listed anew when it returns.
///
/// # Errors
/// When the database fails.
pub async fn withdraw<C: Statements>(client: &C, meeting: MeetingId, evidence: &Evidence) -> Result<(), Error> {
    client.execute(WITHDRAW, &[&meeting.0, &Json(evidence)]).await.map(drop)
}

fn ids(meetings: &[MeetingId]) -> Vec<i64> {
    meetings.iter().map(|meeting| meeting.0).collect()
}
