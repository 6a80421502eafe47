//! The text of documents, by hash and version of the extractor.

use crate::civic::model::Fingerprint;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Error, GenericClient};

/// What an extractor made of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredExtraction {
    /// Pages; 0 when unknown.
    pub pages: i32,
    /// What is wrong with it, such as `encrypted` or `no_text`.
    pub flags: Vec<String>,
    /// The text. Not part of a job's output: it may be megabytes.
    #[serde(skip)]
    pub text: String,
}

/// Stores an extraction; the first one of a version stays.
///
/// # Errors
/// When the database fails.
pub async fn put<C: GenericClient + Sync>(
    client: &C,
    sha256: &Fingerprint,
    extractor: &str,
    extraction: &StoredExtraction,
) -> Result<(), Error> {
    // PostgreSQL's text holds no U+0000.
    let text = extraction.text.replace('\0', "");
    let sql = "insert into extractions (sha256, extractor, pages, chars, flags, body) \
               values ($1, $2, $3, char_length($5), $4, $5) on conflict (sha256, extractor) do nothing";
    client.execute(sql, &[&sha256.as_str(), &extractor, &extraction.pages, &extraction.flags, &text]).await.map(drop)
}

/// The extraction of a document by this version; none: not done yet.
///
/// # Errors
/// When the database fails.
pub async fn find<C: GenericClient + Sync>(
    client: &C,
    sha256: &Fingerprint,
    extractor: &str,
) -> Result<Option<StoredExtraction>, Error> {
    let sql = "select pages, flags, body from extractions where sha256 = $1 and extractor = $2";
    let row = client.query_opt(sql, &[&sha256.as_str(), &extractor]).await?;
    Ok(row.map(|row| StoredExtraction { pages: row.get(0), flags: row.get(1), text: row.get(2) }))
}
