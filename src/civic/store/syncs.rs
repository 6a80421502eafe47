//! What each listing of a city came to.

use super::CityId;
use crate::{
    civic::model::{CitySlug, SyncOutcome, expected, judge},
    db::Statements,
};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Error;

/// Listings of a city that are kept, and good ones that make its history. A city is listed each hour.
const KEPT: i64 = 200;
const HISTORY: i64 = 30;

const RECORD: &str =
    "insert into city_syncs (city_id, outcome, meetings, expected, detail) values ($1, $2, $3, $4, $5)";

const PRUNE: &str = "\
delete from city_syncs where city_id = $1 and id < (
  select min(id) from (select id from city_syncs where city_id = $1 order by id desc limit $2) kept)";

const GOOD: &str = "\
select meetings from city_syncs where city_id = $1 and outcome in ('success', 'empty') order by id desc limit $2";

const SUSPECT: &str = "\
select count(*) from cities c where exists (
  select from (select outcome from city_syncs s where s.city_id = c.id order by s.id desc limit 1) last where outcome = 'suspect')";

const COVERAGE: &str = "\
select c.slug, c.vendor, last.outcome, last.at, last.meetings, last.expected, last.detail,
       (select max(s.at) from city_syncs s where s.city_id = c.id and s.meetings > 0)
from cities c left join lateral (
  select * from city_syncs s where s.city_id = c.id order by s.id desc limit 1) last on true
order by c.slug";

/// A city's coverage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The city.
    pub city: CitySlug,
    /// Its vendor.
    pub vendor: String,
    /// How its last listing ended; none: it was never listed.
    pub outcome: Option<String>,
    /// When that was.
    pub listed_at: Option<Timestamp>,
    /// Meetings that it showed, in the window.
    pub meetings_seen: Option<i32>,
    /// What its own history promised; none: it is too short.
    pub meetings_expected: Option<i32>,
    /// When a listing last showed any meeting.
    pub nonempty_at: Option<Timestamp>,
    /// Why it is neither a success nor legally empty.
    pub detail: Option<String>,
}

/// Judges a complete listing, and writes it down. Call it in a transaction.
///
/// # Errors
/// When the database fails.
pub async fn listed<C: Statements>(client: &C, city: CityId, meetings: u32) -> Result<SyncOutcome, Error> {
    let rows = client.query(GOOD, &[&city.0, &HISTORY]).await?;
    let history: Vec<u32> = rows.iter().map(|row| row.get::<_, i32>(0).unsigned_abs()).collect();
    let usual = expected(&history);
    let outcome = judge(meetings, usual);
    let detail = (outcome == SyncOutcome::Suspect).then_some("far fewer meetings than this city usually has");
    record(client, city, outcome, (meetings, usual), detail).await?;
    Ok(outcome)
}

/// Writes down a listing that did not come.
///
/// # Errors
/// When the database fails.
pub async fn failed<C: Statements>(client: &C, city: CityId, outcome: SyncOutcome, detail: &str) -> Result<(), Error> {
    record(client, city, outcome, (0, None), Some(detail)).await
}

const FORGET: &str = "delete from city_syncs where city_id = $1 and outcome in ('success', 'empty')";

const BELIEVE: &str =
    "update city_syncs set outcome = 'success', detail = null where city_id = $1 and outcome = 'suspect'";

/// An operator has looked: the city has so few meetings from now on. Its suspect listings become its history. How many.
///
/// # Errors
/// When the database fails.
pub async fn accept<C: Statements>(client: &C, city: CityId) -> Result<u64, Error> {
    client.execute(FORGET, &[&city.0]).await?;
    client.execute(BELIEVE, &[&city.0]).await
}

async fn record<C: Statements>(
    client: &C,
    city: CityId,
    outcome: SyncOutcome,
    (meetings, usual): (u32, Option<u32>),
    detail: Option<&str>,
) -> Result<(), Error> {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let detail = detail.map(|detail| detail.chars().take(300).collect::<String>());
    client.execute(RECORD, &[&city.0, &outcome.as_str(), &number(meetings), &usual.map(number), &detail]).await?;
    client.execute(PRUNE, &[&city.0, &KEPT]).await.map(drop)
}

/// How many cities' last listing is suspect.
///
/// # Errors
/// When the database fails.
pub async fn suspect<C: Statements>(client: &C) -> Result<i64, Error> {
    Ok(client.query_one(SUSPECT, &[]).await?.get(0))
}

/// Every city's coverage, by slug.
///
/// # Errors
/// When the database fails.
pub async fn coverage<C: Statements>(client: &C) -> Result<Vec<Coverage>, Error> {
    let rows = client.query(COVERAGE, &[]).await?;
    let read = |row: &tokio_postgres::Row| Coverage {
        city: CitySlug(row.get(0)),
        vendor: row.get(1),
        outcome: row.get(2),
        listed_at: row.get(3),
        meetings_seen: row.get(4),
        meetings_expected: row.get(5),
        detail: row.get(6),
        nonempty_at: row.get(7),
    };
    Ok(rows.iter().map(read).collect())
}
