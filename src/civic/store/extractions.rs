//! The text of documents, by hash and version of the extractor.

use crate::{
    civic::{
        document::{Extraction, Flag, Kind, Link, PageQuality},
        model::Fingerprint,
    },
    db::Statements,
};
use tokio_postgres::{Error, Row, types::Json};

const PUT: &str = "\
insert into extractions (sha256, extractor, pages, chars, flags, body, kind, page_chars, page_quality, links)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (sha256, extractor) do nothing";

const FIND: &str = "\
select pages, chars, flags, body, kind, page_chars, page_quality, links from extractions
where sha256 = $1 and extractor = $2";

/// Stores an extraction; the first one of a version stays.
///
/// # Errors
/// When the database fails.
pub async fn put<C: Statements>(client: &C, sha256: &Fingerprint, extraction: &Extraction) -> Result<(), Error> {
    let int = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
    let flags: Vec<&str> = extraction.flags.iter().map(|flag| flag.as_str()).collect();
    let page_chars: Vec<i32> = extraction.pages_quality.iter().map(|page| int(page.chars.into())).collect();
    let page_quality: String = extraction.pages_quality.iter().map(PageQuality::code).collect();
    let links = (!extraction.links.is_empty()).then_some(Json(&extraction.links));
    let (pages, chars) = (int(extraction.pages.into()), int(extraction.chars));
    client
        .execute(
            PUT,
            &[
                &sha256.as_str(),
                &extraction.extractor,
                &pages,
                &chars,
                &flags,
                &extraction.text,
                &extraction.kind.as_str(),
                &page_chars,
                &page_quality,
                &links,
            ],
        )
        .await
        .map(drop)
}

/// The extraction of a document by this version; none: not done yet.
///
/// # Errors
/// When the database fails, or its links are of a version that can't be read.
pub async fn find<C: Statements>(
    client: &C,
    sha256: &Fingerprint,
    extractor: &str,
) -> Result<Option<Extraction>, Error> {
    let Some(row) = client.query_opt(FIND, &[&sha256.as_str(), &extractor]).await? else { return Ok(None) };
    let named: Vec<&str> = row.get(2);
    let kind: Option<&str> = row.get(4);
    Ok(Some(Extraction {
        kind: Kind::ALL.iter().copied().find(|known| kind == Some(known.as_str())).unwrap_or_default(),
        pages: u32::try_from(row.get::<_, i32>(0)).unwrap_or(0),
        chars: u64::try_from(row.get::<_, i32>(1)).unwrap_or(0),
        flags: Flag::ALL.iter().copied().filter(|flag| named.contains(&flag.as_str())).collect(),
        pages_quality: pages(&row),
        links: row.try_get::<_, Option<Json<Vec<Link>>>>(7)?.map_or_else(Vec::new, |links| links.0),
        text: row.get(3),
        extractor: extractor.to_owned(),
    }))
}

fn pages(row: &Row) -> Vec<PageQuality> {
    let (chars, codes): (Option<Vec<i32>>, Option<&str>) = (row.get(5), row.get(6));
    let chars = chars.unwrap_or_default().into_iter().map(|chars| u32::try_from(chars).unwrap_or(0));
    chars.zip(codes.unwrap_or_default().chars()).map(|(chars, code)| PageQuality::from_code(code, chars)).collect()
}
