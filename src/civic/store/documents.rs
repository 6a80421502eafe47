//! Documents: bytes by their hash, once.

use crate::{civic::model::Fingerprint, db::Statements};
use std::io::Write;
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

/// Bytes of a document that are in memory at once.
const PIECE: i32 = 256 << 10;

/// Writes a document's bytes to a file, piece by piece: a packet has tens of megabytes. False: unknown.
///
/// # Errors
/// When the database fails, or the file can't be written.
pub async fn save<C: Statements>(client: &C, sha256: &Fingerprint, to: &mut impl Write) -> Result<bool, SaveError> {
    let sql = "select substring(content from $2 for $3), bytes from documents where sha256 = $1";
    let mut from = 1;
    loop {
        let Some(row) = client.query_opt(sql, &[&sha256.as_str(), &from, &PIECE]).await? else { return Ok(false) };
        to.write_all(row.get(0))?;
        from += PIECE;
        if from > row.get(1) {
            return Ok(true);
        }
    }
}

/// Why a document is not in a file.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The database.
    #[error("{}", crate::db::describe(.0))]
    Database(#[from] Error),
    /// The file.
    #[error("can't write the document to a file: {0}")]
    File(#[from] std::io::Error),
}
