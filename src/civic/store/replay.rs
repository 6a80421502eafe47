//! Reading the record: what a site answered, once more.

use super::{CityId, RefId};
use crate::{
    civic::{
        model::{CitySlug, Fingerprint, Vendor},
        vendor::Window,
    },
    db::Statements,
};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

/// Listings of a city that one re-parse reads, the newest: half a year of hours.
pub const MAX_LISTINGS: i64 = 5_000;

/// $1 city, $2 since, $3 until, $4 how many. One without any answer of success says nothing of meetings.
const LISTINGS: &str = "\
select ask, window_from, window_to, string_agg(url_sha256 || coalesce(sha256, error), ',' order by id)
from responses where city_id = $1 and purpose = 'listing' and at >= $2 and at <= $3 and window_from is not null
group by ask, window_from, window_to having bool_or(status between 200 and 299) order by max(id) desc limit $4";

/// $1 vendor, $2 seconds back, $3 a city or null.
const KNOWN: &str = "\
select c.slug, count(distinct r.ask), min(r.at), max(r.at) from cities c
join responses r on r.city_id = c.id and r.purpose = 'listing' and r.at >= now() - $2 * interval '1 s'
  and r.window_from is not null and r.status between 200 and 299
where c.vendor = $1 and ($3::text is null or c.slug = $3) group by c.slug order by c.slug";

/// The body is here, or is a document.
const ANSWER: &str = "\
select r.status, r.error, r.final_url, r.content_type, r.etag, b.gzip, d.content
from responses r left join response_bodies b on b.sha256 = r.sha256
left join documents d on d.sha256 = r.sha256 and b.sha256 is null where r.url_sha256 = $1";

/// One listing, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedListing {
    /// Its piece of work.
    pub ask: Uuid,
    /// The days that it asked for.
    pub window: Window,
    /// Tells whether another one has the very same answers.
    pub content: Fingerprint,
}

/// What of a city is in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The city.
    pub city: CitySlug,
    /// Listings.
    pub listings: i64,
    /// When the first of them came.
    pub first_at: Timestamp,
    /// When the last of them came.
    pub last_at: Timestamp,
}

/// An answer from the record.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its status; none: there was no answer.
    pub status: Option<u16>,
    /// The class of the error, where there was no answer.
    pub error: Option<String>,
    /// The address that answered, where it was another one.
    pub final_url: Option<String>,
    /// What the site said that it is.
    pub content_type: Option<String>,
    /// The entity tag.
    pub etag: Option<String>,
    /// The body, compressed; none: it is a document, or gone.
    pub gzip: Option<Vec<u8>>,
    /// The body as a document; none: it is no document, or gone.
    pub document: Option<Vec<u8>>,
}

/// The listings of a city between two times, oldest first; of many the newest [`MAX_LISTINGS`].
///
/// # Errors
/// When the database fails.
pub async fn listings<C: Statements>(
    client: &C,
    city: CityId,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<RecordedListing>, Error> {
    let rows = client.query(LISTINGS, &[&city.0, &since, &until, &MAX_LISTINGS]).await?;
    let read = |row: &Row| RecordedListing {
        ask: row.get(0),
        window: Window { from: row.get(1), to: row.get(2) },
        content: Fingerprint::of_bytes(row.get::<_, String>(3).as_bytes()),
    };
    Ok(rows.iter().rev().map(read).collect())
}

/// Which cities of a vendor have listings in the record since so many seconds.
///
/// # Errors
/// When the database fails.
pub async fn known<C: Statements>(
    client: &C,
    vendor: Vendor,
    seconds: f64,
    city: Option<&CitySlug>,
) -> Result<Vec<Known>, Error> {
    let rows = client.query(KNOWN, &[&vendor.as_str(), &seconds, &city.map(CitySlug::as_str)]).await?;
    let read = |row: &Row| Known {
        city: CitySlug(row.get(0)),
        listings: row.get(1),
        first_at: row.get(2),
        last_at: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}

/// What an address answered within one piece of work.
///
/// # Errors
/// When the database fails.
pub async fn of_ask<C: Statements>(client: &C, ask: Uuid, url: &Fingerprint) -> Result<Option<Recorded>, Error> {
    let sql = format!("{ANSWER} and r.ask = $2 order by r.id desc limit 1");
    Ok(client.query_opt(&sql, &[&url.as_str(), &ask]).await?.as_ref().map(read))
}

/// What an address last answered with success until then.
///
/// # Errors
/// When the database fails.
pub async fn as_of<C: Statements>(client: &C, until: Timestamp, url: &Fingerprint) -> Result<Option<Recorded>, Error> {
    let sql = format!("{ANSWER} and r.at <= $2 and r.status between 200 and 299 order by r.id desc limit 1");
    Ok(client.query_opt(&sql, &[&url.as_str(), &until]).await?.as_ref().map(read))
}

/// The bytes that a reference has had: from before there was a record.
///
/// # Errors
/// When the database fails.
pub async fn of_reference<C: Statements>(client: &C, reference: RefId, url: &str) -> Result<Option<Vec<u8>>, Error> {
    let sql =
        "select d.content from document_refs r join documents d on d.sha256 = r.sha256 where r.id = $1 and r.url = $2";
    Ok(client.query_opt(sql, &[&reference.0, &url]).await?.map(|row| row.get(0)))
}

fn read(row: &Row) -> Recorded {
    Recorded {
        status: row.get::<_, Option<i32>>(0).and_then(|status| u16::try_from(status).ok()),
        error: row.get(1),
        final_url: row.get(2),
        content_type: row.get(3),
        etag: row.get(4),
        gzip: row.get(5),
        document: row.get(6),
    }
}
