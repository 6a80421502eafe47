//! What cities and hosts were asked, from the record.

use crate::{civic::model::CitySlug, db::Statements};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Error;

/// Rows of one answer: the most asked ones.
pub const MAX_ROWS: i64 = 1_000;

/// A request is dated by its start. $1 seconds back, $2 a city or null, $3 rows.
const COURTESY: &str = "\
with asked as (
  select r.city_id, r.host, r.bytes, r.status, r.duration_ms, r.tls_unverified,
         r.at - r.duration_ms * interval '1 ms' as begun
  from responses r where r.at >= now() - $1 * interval '1 s'
    and ($2::text is null or r.city_id = (select id from cities where slug = $2))
), minutes as (
  select city_id, host, max(n) as peak from (
    select city_id, host, count(*) as n from asked group by city_id, host, date_trunc('minute', begun)) m group by 1, 2
), seconds as (
  select city_id, host, max(n) as peak from (
    select city_id, host, count(*) as n from asked group by city_id, host, date_trunc('second', begun)) s group by 1, 2
)
select c.slug, a.host, count(*), sum(a.bytes)::bigint, count(*) filter (where coalesce(a.status, 599) >= 400),
       count(*) filter (where a.status = 429), min(m.peak), min(s.peak), avg(a.duration_ms)::bigint, max(a.duration_ms)::bigint,
       count(*) filter (where a.tls_unverified), max(a.begun)
from asked a join minutes m on m.host = a.host and m.city_id is not distinct from a.city_id
             join seconds s on s.host = a.host and s.city_id is not distinct from a.city_id
left join cities c on c.id = a.city_id group by c.slug, a.host order by count(*) desc, c.slug, a.host limit $3";

/// What one host was asked for one city.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Courtesy {
    /// The city; none: a document of no agenda that is known.
    pub city: Option<CitySlug>,
    /// The host, with its port where that is not the usual one.
    pub host: String,
    /// Requests that went out; the hops of a redirect are one.
    pub requests: i64,
    /// Bytes of their bodies, decompressed.
    pub bytes: i64,
    /// Of the requests, those without an answer or with an error's.
    pub errors: i64,
    /// Of the errors, those that said "too many requests".
    pub too_many: i64,
    /// Most requests that began in one minute, and in one second.
    pub peak_a_minute: i64,
    /// See there.
    pub peak_a_second: i64,
    /// Mean time of an answer, in milliseconds.
    pub mean_ms: i64,
    /// The slowest one.
    pub slowest_ms: i64,
    /// Requests whose host's certificate was not verified.
    pub tls_unverified: i64,
    /// When it was last asked.
    pub last_at: Timestamp,
}

/// What was asked since so many seconds, of one city or all.
///
/// # Errors
/// When the database fails.
pub async fn courtesy<C: Statements>(
    client: &C,
    city: Option<&CitySlug>,
    seconds: f64,
) -> Result<Vec<Courtesy>, Error> {
    let rows = client.query(COURTESY, &[&seconds, &city.map(CitySlug::as_str), &MAX_ROWS]).await?;
    let read = |row: &tokio_postgres::Row| Courtesy {
        city: row.get::<_, Option<String>>(0).map(CitySlug),
        host: row.get(1),
        requests: row.get(2),
        bytes: row.get(3),
        errors: row.get(4),
        too_many: row.get(5),
        peak_a_minute: row.get(6),
        peak_a_second: row.get(7),
        mean_ms: row.get(8),
        slowest_ms: row.get(9),
        tls_unverified: row.get(10),
        last_at: row.get(11),
    };
    Ok(rows.iter().map(read).collect())
}
