//! Agenda items with their documents and summaries.

use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use tokio_postgres::{Error, GenericClient, Row};
use utoipa::ToSchema;

/// Documents of one meeting that are shown.
const REFS_MAX: i64 = 5_000;

/// A summary.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SummaryView {
    /// The text.
    pub body: String,
    /// Who wrote it.
    pub model: String,
    /// By which instructions.
    pub prompt_version: String,
    /// When.
    pub created_at: Timestamp,
}

/// A document that an agenda refers to.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RefView {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// `listed`, `fetched` or `withdrawn`.
    pub status: String,
    /// Hash of its bytes: see `/api/documents/{sha256}`; none: it was not fetched.
    pub sha256: Option<String>,
    /// When it was fetched.
    pub fetched_at: Option<Timestamp>,
}

/// An agenda item.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ItemView {
    /// The row.
    pub id: i64,
    /// The vendor's id.
    pub vendor_id: String,
    /// Its place, as the vendor counts.
    pub sequence: Option<i32>,
    /// The printed number.
    pub number: Option<String>,
    /// What it is about.
    pub title: String,
    /// The note printed on the agenda.
    pub note: Option<String>,
    /// What was decided.
    pub action: Option<String>,
    /// It is taken without debate.
    pub consent: bool,
    /// False: a later revision has dropped it.
    pub listed: bool,
    /// The matter that it is an appearance of.
    pub matter_id: Option<i64>,
    /// Its summary.
    pub summary: Option<SummaryView>,
    /// Why it has none.
    pub skip_reason: Option<String>,
    /// Its documents.
    pub documents: Vec<RefView>,
}

/// An agenda item, and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ItemWhole {
    /// The item.
    #[serde(flatten)]
    pub item: ItemView,
    /// Its meeting.
    pub meeting_id: i64,
    /// Its city.
    pub city: String,
}

/// An item of several appearances is told with the oldest.
macro_rules! select {
    () => {
        "select i.id, i.vendor_id, i.sequence, i.number, i.title, i.note, i.action, i.consent, i.listed, \
         (select min(a.matter_id) from matter_appearances a where a.item_id = i.id), i.skip_reason, \
         s.body, s.model, s.prompt_version, s.created_at, i.meeting_id, c.slug \
         from agenda_items i left join summaries s on s.id = i.summary_id \
         join meetings m on m.id = i.meeting_id join cities c on c.id = m.city_id "
    };
}

const OF_MEETING: &str =
    concat!(select!(), "where i.meeting_id = $1 and i.listed order by i.sequence nulls last, i.id limit $2");

const ONE: &str = concat!(select!(), "where i.id = $1");

const REFS: &str = "\
select coalesce(item_id, 0), name, url, status, sha256, fetched_at from document_refs
where meeting_id = $1 and ($2::bigint is null or coalesce(item_id, 0) = $2) and status <> 'withdrawn' order by id limit $3";

/// The listed items of a meeting.
pub(super) async fn of_meeting<C: GenericClient + Sync>(
    client: &C,
    meeting: i64,
    limit: i64,
) -> Result<Vec<ItemView>, Error> {
    let rows = client.query(OF_MEETING, &[&meeting, &limit]).await?;
    let mut papers: HashMap<i64, Vec<RefView>> = HashMap::new();
    for row in client.query(REFS, &[&meeting, &None::<i64>, &REFS_MAX]).await? {
        papers.entry(row.get(0)).or_default().push(reference(&row));
    }
    Ok(rows.iter().map(|row| read(row, papers.remove(&row.get(0)).unwrap_or_default())).collect())
}

/// One item.
///
/// # Errors
/// When the database fails.
pub async fn item<C: GenericClient + Sync>(client: &C, id: i64) -> Result<Option<ItemWhole>, Error> {
    let Some(row) = client.query_opt(ONE, &[&id]).await? else { return Ok(None) };
    let meeting_id: i64 = row.get(15);
    let documents = refs_of(client, meeting_id, Some(id)).await?;
    Ok(Some(ItemWhole { item: read(&row, documents), meeting_id, city: row.get(16) }))
}

/// The documents of an item; without one those of the meeting itself.
pub(super) async fn refs_of<C: GenericClient + Sync>(
    client: &C,
    meeting: i64,
    item: Option<i64>,
) -> Result<Vec<RefView>, Error> {
    let rows = client.query(REFS, &[&meeting, &item.or(Some(0)), &REFS_MAX]).await?;
    Ok(rows.iter().map(reference).collect())
}

fn reference(row: &Row) -> RefView {
    RefView { name: row.get(1), url: row.get(2), status: row.get(3), sha256: row.get(4), fetched_at: row.get(5) }
}

fn read(row: &Row, documents: Vec<RefView>) -> ItemView {
    ItemView {
        id: row.get(0),
        vendor_id: row.get(1),
        sequence: row.get(2),
        number: row.get(3),
        title: row.get(4),
        note: row.get(5),
        action: row.get(6),
        consent: row.get(7),
        listed: row.get(8),
        matter_id: row.get(9),
        summary: summary(row, 11),
        skip_reason: row.get(10),
        documents,
    }
}

/// A summary, whose four columns begin there; none: all are null.
pub(in crate::civic::store) fn summary(row: &Row, at: usize) -> Option<SummaryView> {
    let body: Option<String> = row.get(at);
    body.map(|body| SummaryView {
        body,
        model: row.get(at + 1),
        prompt_version: row.get(at + 2),
        created_at: row.get(at + 3),
    })
}
