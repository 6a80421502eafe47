//! Documents: what is known of their bytes, and their text.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Error, GenericClient, Row};
use utoipa::ToSchema;

/// Longest text that is shown, in characters.
pub const TEXT_CHARS: i32 = 500_000;
/// Places that are named.
const PLACES_MAX: i64 = 100;

/// What was read of a document.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExtractionView {
    /// Which version of the extractor.
    pub extractor: String,
    /// Pages; 0: unknown.
    pub pages: i32,
    /// Characters that are no white space.
    pub chars: i32,
    /// What was wrong, such as `encrypted`, `damaged` or `no_text`.
    pub flags: Vec<String>,
    /// When.
    pub created_at: Timestamp,
}

/// Where an agenda refers to it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlaceView {
    /// The meeting.
    pub meeting_id: i64,
    /// The item; none: it is the meeting's own.
    pub item_id: Option<i64>,
    /// Its name there.
    pub name: String,
    /// Its address there.
    pub url: String,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DocumentView {
    /// Hash of its bytes.
    pub sha256: String,
    /// How many.
    pub bytes: i32,
    /// What the bytes look like, whatever the site said.
    pub kind: String,
    /// When it was first fetched.
    pub created_at: Timestamp,
    /// The newest extraction; none: there was none yet.
    pub extraction: Option<ExtractionView>,
    /// Where agendas refer to it, newest first; at most 100.
    pub places: Vec<PlaceView>,
    /// Its text, if it was asked for: at most 500,000 characters.
    pub text: Option<String>,
    /// The text is longer.
    pub text_cut: bool,
}

/// The bytes are never read.
const ONE: &str = "\
select d.sha256, d.bytes, d.kind, d.created_at, e.extractor, e.pages, e.chars, e.flags, e.created_at,
       case when $2 then left(e.body, $3) end, $2 and length(e.body) > $3
from documents d left join lateral (
  select * from extractions e where e.sha256 = d.sha256 order by e.created_at desc, e.extractor desc limit 1) e on true
where d.sha256 = $1";

const PLACES: &str = "\
select meeting_id, item_id, name, url from document_refs where sha256 = $1 and status <> 'withdrawn' order by id desc limit $2";

/// A document; `with_text` reads its text too.
///
/// # Errors
/// When the database fails.
pub async fn document<C: GenericClient + Sync>(
    client: &C,
    sha256: &str,
    with_text: bool,
) -> Result<Option<DocumentView>, Error> {
    let Some(row) = client.query_opt(ONE, &[&sha256, &with_text, &TEXT_CHARS]).await? else { return Ok(None) };
    let places = client.query(PLACES, &[&sha256, &PLACES_MAX]).await?;
    let place =
        |row: &Row| PlaceView { meeting_id: row.get(0), item_id: row.get(1), name: row.get(2), url: row.get(3) };
    let extractor: Option<String> = row.get(4);
    Ok(Some(DocumentView {
        sha256: row.get(0),
        bytes: row.get(1),
        kind: row.get(2),
        created_at: row.get(3),
        extraction: extractor.map(|extractor| ExtractionView {
            extractor,
            pages: row.get(5),
            chars: row.get(6),
            flags: row.get(7),
            created_at: row.get(8),
        }),
        places: places.iter().map(place).collect(),
        text: row.get(9),
        text_cut: row.get::<_, Option<bool>>(10).unwrap_or_default(),
    }))
}
