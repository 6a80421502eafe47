//! The text of documents, by hash and version of the extractor.

use crate::{
    civic::{
        document::{Extraction, Flag},
        model::Fingerprint,
    },
    db::Statements,
};
use tokio_postgres::Error;

/// Stores an extraction; the first one of a version stays.
///
/// # Errors
/// When the database fails.
pub async fn put<C: Statements>(client: &C, sha256: &Fingerprint, extraction: &Extraction) -> Result<(), Error> {
    let pages = i32::try_from(extraction.pages).unwrap_or(i32::MAX);
    let chars = i32::try_from(extraction.chars).unwrap_or(i32::MAX);
    let flags: Vec<&str> = extraction.flags.iter().map(|flag| flag.as_str()).collect();
    let sql = "insert into extractions (sha256, extractor, pages, chars, flags, body) values ($1, $2, $3, $4, $5, $6) \
               on conflict (sha256, extractor) do nothing";
    client
        .execute(sql, &[&sha256.as_str(), &extraction.extractor, &pages, &chars, &flags, &extraction.text])
        .await
        .map(drop)
}

/// The extraction of a document by this version; none: not done yet.
///
/// # Errors
/// When the database fails.
pub async fn find<C: Statements>(
    client: &C,
    sha256: &Fingerprint,
    extractor: &str,
) -> Result<Option<Extraction>, Error> {
    let sql = "select pages, chars, flags, body from extractions where sha256 = $1 and extractor = $2";
    let Some(row) = client.query_opt(sql, &[&sha256.as_str(), &extractor]).await? else { return Ok(None) };
    let named: Vec<&str> = row.get(2);
    Ok(Some(Extraction {
        pages: u32::try_from(row.get::<_, i32>(0)).unwrap_or(0),
        chars: u64::try_from(row.get::<_, i32>(1)).unwrap_or(0),
        flags: Flag::ALL.iter().copied().filter(|flag| named.contains(&flag.as_str())).collect(),
        text: row.get(3),
        extractor: extractor.to_owned(),
    }))
}
