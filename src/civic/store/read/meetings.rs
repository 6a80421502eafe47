//! Meetings, and one with all that is known of it.

use super::{
    Cursor, city_id, clamp,
    items::{ItemView, RefView, SummaryView, of_meeting, refs_of, summary},
    search,
};
use crate::{
    civic::model::{CitySlug, MeetingStatus},
    fleet::ledger::read::Page,
};
use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::{Error, GenericClient, Row, types::Json};
use utoipa::ToSchema;

/// Items of one meeting that are shown.
pub const ITEMS_MAX: i64 = 2_000;

/// Which meetings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeetingFilter {
    /// Of this city.
    pub city: Option<CitySlug>,
    /// Not before this day.
    pub from: Option<Date>,
    /// Not after this day.
    pub to: Option<Date>,
    /// In this status.
    pub status: Option<MeetingStatus>,
    /// With these words in the meeting's title or body, an item's title, or a summary, as `websearch_to_tsquery` reads them.
    pub words: Option<String>,
    /// Older than this one.
    pub before: Option<Cursor<Date>>,
}

/// A meeting in a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MeetingView {
    /// The row.
    pub id: i64,
    /// Its city.
    pub city: String,
    /// The vendor's id that it is known by.
    pub vendor_id: String,
    /// Its title.
    pub title: String,
    /// Who meets; empty: the source doesn't say.
    pub body: String,
    /// The day, on the city's calendar.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// The time, on the city's clocks; none: unknown.
    #[schema(value_type = Option<String>)]
    pub time: Option<Time>,
    /// The city's IANA time zone.
    pub zone: String,
    /// The instant; none without a time.
    pub starts_at: Option<Timestamp>,
    /// `scheduled`, `cancelled`, `postponed`, `rescheduled`, `recessed`, `held` or `withdrawn`.
    pub status: String,
    /// Why it has a status other than scheduled: `source` and `text`.
    #[schema(value_type = Option<Object>)]
    pub status_evidence: Option<Value>,
    /// Where.
    pub location: Option<String>,
    /// The page about it.
    pub page_url: Option<String>,
    /// Whether its agenda was read.
    pub has_agenda: bool,
    /// When its listing or agenda last said something new.
    pub updated_at: Timestamp,
}

/// What its source said last.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RevisionView {
    /// 1 is the first.
    pub number: i32,
    /// Hash of all that it says.
    pub fingerprint: String,
    /// When it was read.
    pub seen_at: Timestamp,
}

/// A meeting with its agenda.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MeetingWhole {
    /// The meeting.
    #[serde(flatten)]
    pub meeting: MeetingView,
    /// Other ids that the vendor has, or had, for it.
    pub aliases: Vec<String>,
    /// The agenda.
    pub agenda_url: Option<String>,
    /// The minutes.
    pub minutes_url: Option<String>,
    /// When it was first listed.
    pub first_seen_at: Timestamp,
    /// The current revision; none: its agenda was never read.
    pub revision: Option<RevisionView>,
    /// Its summary.
    pub summary: Option<SummaryView>,
    /// Its own documents.
    pub documents: Vec<RefView>,
    /// The items that its agenda shows, in its order; at most 2,000.
    pub items: Vec<ItemView>,
    /// There are more items.
    pub items_cut: bool,
}

macro_rules! columns {
    () => {
        "m.id, c.slug, m.vendor_id, m.title, m.body, m.local_date, m.local_time, m.zone, m.starts_at, m.status, \
         m.status_evidence, m.location, m.page_url, m.revision_id is not null, m.updated_at"
    };
}

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from meetings m join cities c on c.id = m.city_id \
     where ($1::bigint is null or m.city_id = $1) and ($2::date is null or m.local_date >= $2) \
     and ($3::date is null or m.local_date <= $3) and ($4::text is null or m.status = $4) \
     and ($5::date is null or (m.local_date, m.id) < ($5, $7::bigint))"
);

const ONE: &str = concat!(
    "select ",
    columns!(),
    ", m.agenda_url, m.minutes_url, m.first_seen_at, r.number, r.fingerprint, r.seen_at, s.body, s.model, s.prompt_version, \
     s.created_at, (select array_agg(a.alias order by a.alias) from meeting_aliases a where a.meeting_id = m.id) \
     from meetings m join cities c on c.id = m.city_id left join meeting_revisions r on r.id = m.revision_id \
     left join summaries s on s.id = m.summary_id where m.id = $1"
);

/// Meetings, the latest day first. None: there is no such city. `limit` is clamped to a page's.
///
/// # Errors
/// When the database fails, or a rare filter over a long history exceeds the statement's deadline.
pub async fn meetings<C: GenericClient + Sync>(
    client: &C,
    filter: &MeetingFilter,
    limit: i64,
) -> Result<Option<Page<MeetingView, Cursor<Date>>>, Error> {
    let limit = clamp(limit);
    let Some(city) = city_id(client, filter.city.as_ref()).await? else { return Ok(None) };
    let found = search::condition(client, filter.words.as_deref()).await?;
    let sql = format!("{LIST} and {found} order by m.local_date desc, m.id desc limit $8");
    let status = filter.status.map(MeetingStatus::as_str);
    let (day, id) = filter.before.map(|cursor| (cursor.key, cursor.id)).unzip();
    let rows =
        client.query(&sql, &[&city, &filter.from, &filter.to, &status, &day, &filter.words, &id, &(limit + 1)]).await?;
    let cursor = |meeting: &MeetingView| Cursor { key: meeting.date, id: meeting.id };
    Ok(Some(Page::of(rows.iter().map(read).collect(), limit, cursor)))
}

/// One meeting.
///
/// # Errors
/// When the database fails.
pub async fn meeting<C: GenericClient + Sync>(client: &C, id: i64) -> Result<Option<MeetingWhole>, Error> {
    let Some(row) = client.query_opt(ONE, &[&id]).await? else { return Ok(None) };
    let mut items = of_meeting(client, id, ITEMS_MAX + 1).await?;
    let items_cut = items.len() > usize::try_from(ITEMS_MAX).unwrap_or(usize::MAX);
    items.truncate(usize::try_from(ITEMS_MAX).unwrap_or(usize::MAX));
    let number: Option<i32> = row.get(18);
    Ok(Some(MeetingWhole {
        meeting: read(&row),
        aliases: row.get::<_, Option<Vec<String>>>(25).unwrap_or_default(),
        agenda_url: row.get(15),
        minutes_url: row.get(16),
        first_seen_at: row.get(17),
        revision: number.map(|number| RevisionView { number, fingerprint: row.get(19), seen_at: row.get(20) }),
        summary: summary(&row, 21),
        documents: refs_of(client, id, None).await?,
        items,
        items_cut,
    }))
}

fn read(row: &Row) -> MeetingView {
    MeetingView {
        id: row.get(0),
        city: row.get(1),
        vendor_id: row.get(2),
        title: row.get(3),
        body: row.get(4),
        date: row.get(5),
        time: row.get(6),
        zone: row.get(7),
        starts_at: row.get(8),
        status: row.get(9),
        status_evidence: row.get::<_, Option<Json<Value>>>(10).map(|evidence| evidence.0),
        location: row.get(11),
        page_url: row.get(12),
        has_agenda: row.get(13),
        updated_at: row.get(14),
    }
}
