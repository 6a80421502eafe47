//! The record: what sites answered.

use crate::{
    civic::{model::Fingerprint, record::Scope},
    db::Statements,
};
use std::time::Duration;
use tokio_postgres::Error;

/// Longest text of a header or an address that is kept, in characters.
const MAX_CHARS: usize = 2_048;

/// One statement: each request pays for it. A body that is there is touched once an hour, which tells when the last answer
/// had it.
const ADD: &str = "\
with b as (
  insert into response_bodies as b (sha256, bytes, gzip) select $13, $10, $14 where $14::bytea is not null
  on conflict (sha256) do update set seen_at = now() where b.seen_at < now() - interval '1 hour'
)
insert into responses (ask, job_id, city_id, vendor, purpose, host, url, url_sha256, final_url, status, error, bytes,
                       duration_ms, sha256, etag, content_type, tls_unverified, window_from, window_to)
values ($1, $2, coalesce($3, (select m.city_id from document_refs d join meetings m on m.id = d.meeting_id where d.id = $4)),
        $5, $6, $7, $8, $9, $11, $12, $15, $10, $16, $13, $17, $18, $19, $20, $21)";

/// A body by its hash.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its hash.
    pub sha256: Fingerprint,
    /// How large it is.
    pub bytes: usize,
    /// The bytes, compressed; none: they are kept elsewhere.
    pub gzip: Option<Vec<u8>>,
}

/// A row to be.
#[derive(Debug)]
pub struct NewResponse<'a> {
    /// Who asked, and what for.
    pub scope: &'a Scope,
    /// The host, with its port where that is not the usual one.
    pub host: String,
    /// The address without what may be secret.
    pub url: String,
    /// Hash of the whole address.
    pub url_sha256: Fingerprint,
    /// The address that answered, where it is another one.
    pub final_url: Option<String>,
    /// The status; none: there was no answer.
    pub status: Option<u16>,
    /// The class of the error, where there was no answer.
    pub error: Option<&'static str>,
    /// Bytes of the body, decompressed.
    pub bytes: usize,
    /// How long it took.
    pub took: Duration,
    /// The entity tag.
    pub etag: Option<&'a str>,
    /// What the site says that it is.
    pub content_type: Option<&'a str>,
    /// Whether the certificate was not verified.
    pub tls_unverified: bool,
    /// The body.
    pub body: Option<Body>,
}

/// Adds a row.
///
/// # Errors
/// When the database fails.
pub async fn add<C: Statements>(client: &C, row: &NewResponse<'_>) -> Result<(), Error> {
    let cut = |text: Option<&str>| text.map(|text| text.chars().take(MAX_CHARS).collect::<String>());
    let number = |count: u128| i32::try_from(count).unwrap_or(i32::MAX);
    let Scope { ask, job, city, reference, vendor, purpose, window } = row.scope;
    let (gzip, sha256) = match &row.body {
        Some(body) => (body.gzip.as_deref(), Some(body.sha256.as_str())),
        None => (None, None),
    };
    let params: crate::db::Params<'_> = &[
        ask,
        job,
        &city.map(|city| city.0),
        &reference.map(|reference| reference.0),
        &vendor.as_str(),
        &purpose.as_str(),
        &row.host,
        &cut(Some(&row.url)),
        &row.url_sha256.as_str(),
        &number(row.bytes as u128),
        &cut(row.final_url.as_deref()),
        &row.status.map(i32::from),
        &sha256,
        &gzip,
        &row.error,
        &number(row.took.as_millis()),
        &cut(row.etag),
        &cut(row.content_type),
        &row.tls_unverified,
        &window.map(|window| window.from),
        &window.map(|window| window.to),
    ];
    client.execute(ADD, params).await.map(drop)
}

/// Rows that one step of [`prune`] deletes at the most, of each table.
pub const STEP_ROWS: u64 = 500;

const PRUNE: &str = "\
delete from responses where id = any (array(
  select id from responses where at < now() - $1::int * interval '1 day' order by at limit $2))";

/// Its last answer is up to an hour younger than what it says, and so gone before it. Whoever has the same body again meanwhile
/// is waited for, and keeps it.
const PRUNE_BODIES: &str = "\
delete from response_bodies where seen_at < now() - $1::int * interval '1 day' - interval '2 hours' and sha256 = any (array(
  select sha256 from response_bodies where seen_at < now() - $1::int * interval '1 day' - interval '2 hours' order by seen_at limit $2))";

/// Deletes some of what is older than so many days, and says how many of the table of which it was more.
///
/// # Errors
/// When the database fails.
pub async fn prune<C: Statements>(client: &C, days: u32) -> Result<u64, Error> {
    let (days, rows) = (i32::try_from(days).unwrap_or(i32::MAX), STEP_ROWS.cast_signed());
    let answers = client.execute(PRUNE, &[&days, &rows]).await?;
    Ok(answers.max(client.execute(PRUNE_BODIES, &[&days, &rows]).await?))
}
