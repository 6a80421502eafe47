//! Documents: bytes by their hash, once.

use crate::{civic::model::Fingerprint, db::Statements};
use tokio_postgres::Error;

/// Stores bytes; they are there already when their hash is. `kind` is what the bytes were sniffed to be.
///
/// # Errors
/// When the database fails.
pub async fn put<C: Statements>(client: &C, sha256: &Fingerprint, kind: &str, content: &[u8]) -> Result<(), Error> {
    let sql = "insert into documents (sha256, bytes, kind, content) values ($1, octet_length($3::bytea), $2, $3) \
               on conflict (sha256) do nothing";
    client.execute(sql, &[&sha256.as_str(), &kind, &content]).await.map(drop)
}

/// The bytes; none: unknown.
///
/// # Errors
/// When the database fails.
pub async fn content<C: Statements>(client: &C, sha256: &Fingerprint) -> Result<Option<Vec<u8>>, Error> {
    let row = client.query_opt("select content from documents where sha256 = $1", &[&sha256.as_str()]).await?;
    Ok(row.map(|row| row.get(0)))
}
