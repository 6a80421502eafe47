//! What there is to summarise, for an estimate of its cost.

use jiff::civil::Date;
use tokio_postgres::{Error, GenericClient};

/// A text that has no current summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its city's short name.
    pub city: String,
    /// An item's title, by which procedure is told; empty for a meeting.
    pub title: String,
    /// Bytes of the documents that have a text, each.
    pub documents: Vec<u64>,
    /// Bytes of the agenda's own words, which are read where no document has a text.
    pub words: u64,
}

/// $1 city, $2 first day of the meetings. The text of the newest extraction of a document, by whatever version.
const ITEMS: &str = "\
select c.slug, i.title, octet_length(i.title) + coalesce(octet_length(i.note), 0)::bigint,
       array(select octet_length(e.body)::bigint from document_refs d
             cross join lateral (select body from extractions e where e.sha256 = d.sha256 order by e.created_at desc limit 1) e
             where d.item_id = i.id and d.status <> 'withdrawn' and e.body <> '' order by d.id)
from agenda_items i join meetings m on m.id = i.meeting_id join cities c on c.id = m.city_id
where i.listed and i.summary_id is null and ($1::text is null or c.slug = $1) and m.local_date >= coalesce($2::date, '-infinity')";

/// Items without a current summary.
///
/// # Errors
/// When the database fails.
pub async fn items<C: GenericClient + Sync>(
    client: &C,
    city: Option<&str>,
    since: Option<Date>,
) -> Result<Vec<Pending>, Error> {
    let rows = client.query(ITEMS, &[&city, &since]).await?;
    let bytes = |value: i64| u64::try_from(value).unwrap_or_default();
    let pending = |row: &tokio_postgres::Row| Pending {
        city: row.get(0),
        title: row.get(1),
        documents: row.get::<_, Vec<i64>>(3).into_iter().map(bytes).collect(),
        words: bytes(row.get(2)),
    };
    Ok(rows.iter().map(pending).collect())
}

/// $1 city, $2 first day. An item without a summary is counted as if it got one.
const MEETINGS: &str = "\
select c.slug, count(i.id), coalesce(sum(octet_length(i.title)), 0)::bigint
from meetings m join cities c on c.id = m.city_id join agenda_items i on i.meeting_id = m.id and i.listed
where m.summary_id is null and m.revision_id is not null and ($1::text is null or c.slug = $1)
  and m.local_date >= coalesce($2::date, '-infinity')
group by m.id, c.slug";

/// Meetings without a current summary: the city, the items, and the bytes of their titles.
///
/// # Errors
/// When the database fails.
pub async fn meetings<C: GenericClient + Sync>(
    client: &C,
    city: Option<&str>,
    since: Option<Date>,
) -> Result<Vec<(String, u64, u64)>, Error> {
    let rows = client.query(MEETINGS, &[&city, &since]).await?;
    let bytes = |value: i64| u64::try_from(value).unwrap_or_default();
    Ok(rows.iter().map(|row| (row.get(0), bytes(row.get(1)), bytes(row.get(2)))).collect())
}
