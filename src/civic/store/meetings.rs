//! Meetings, in their newest state.

use super::{CityId, MeetingId, RevisionId, SummaryId, aliases};
use crate::{
    civic::model::{
        Change, ChangeKind, CitySlug, Fingerprint, ParsedMeeting, SourceMeetingId, Zone, listing_changes, starts_at_utc,
    },
    db::Statements,
};
use serde_json::Value;
use tokio_postgres::{Error, Row, types::Json};

/// A meeting and its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMeeting {
    /// The row.
    pub id: MeetingId,
    /// What the listing said last.
    pub listing: ParsedMeeting,
    /// The current revision; none: the agenda was never read.
    pub revision: Option<RevisionId>,
    /// The current summary.
    pub summary: Option<SummaryId>,
}

/// $2 may be another id of a meeting that is known, or $17 may name one by which it is: the row keeps the id that it has.
const UPSERT: &str = "\
with known as (
  select coalesce(
    (select m.vendor_id from meetings m where m.city_id = $1 and m.vendor_id = $2),
    (select m.vendor_id from meeting_aliases a join meetings m on m.id = a.meeting_id
     where a.city_id = $1 and a.alias = any (array_append($17::text[], $2)) order by m.id limit 1),
    (select m.vendor_id from meetings m where m.city_id = $1 and m.vendor_id = any ($17::text[]) order by m.id limit 1),
    $2) as id
), written as (
  insert into meetings as m (city_id, vendor_id, body, title, local_date, local_time, zone, starts_at, status,
                             status_evidence, location, agenda_url, minutes_url, page_url, listing, list_fingerprint)
  select $1, known.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 from known
  on conflict (city_id, vendor_id) do update set
    body = excluded.body, title = excluded.title, local_date = excluded.local_date, local_time = excluded.local_time,
    zone = excluded.zone, starts_at = excluded.starts_at, status = excluded.status,
    status_evidence = excluded.status_evidence, location = excluded.location, agenda_url = excluded.agenda_url,
    minutes_url = excluded.minutes_url, page_url = excluded.page_url, listing = excluded.listing,
    list_fingerprint = excluded.list_fingerprint, listing_no = m.listing_no + 1, updated_at = now()
  where m.list_fingerprint <> excluded.list_fingerprint or m.zone <> excluded.zone or m.status <> excluded.status
  returning id, listing_no, vendor_id), before as (
  select m.id, m.listing_no, m.vendor_id, m.status, m.listing from meetings m join known on known.id = m.vendor_id where city_id = $1)
select w.id, w.listing_no, w.vendor_id, true, b.status, b.listing from written w left join before b on true
union all select id, listing_no, vendor_id, false, status, null from before limit 1";

/// A meeting as it was just listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The row.
    pub id: MeetingId,
    /// The id that it is known by: the first one that the vendor gave it.
    pub vendor_id: SourceMeetingId,
    /// How often the list has said something new, the first time included: what returns to an earlier state is new.
    pub listing_no: i32,
    /// What is new; nothing, if the list says the same as before.
    pub changes: Vec<Change>,
}

/// Writes what a listing said of a meeting.
///
/// # Errors
/// When the database fails.
pub async fn upsert<C: Statements>(
    client: &C,
    city: CityId,
    zone: &Zone,
    meeting: &ParsedMeeting,
) -> Result<Listed, Error> {
    let starts_at = starts_at_utc(meeting.local_date, meeting.local_time, zone);
    let mut aliases: Vec<&str> = meeting.aliases.iter().map(SourceMeetingId::as_str).collect();
    let url = |url: &Option<crate::civic::model::WebUrl>| url.as_ref().map(|url| url.as_str().to_owned());
    let (agenda, minutes, page) = (url(&meeting.agenda_url), url(&meeting.minutes_url), url(&meeting.page_url));
    let row = client
        .query_one(
            UPSERT,
            &[
                &city.0,
                &meeting.vendor_id.as_str(),
                &meeting.body_name,
                &meeting.title,
                &meeting.local_date,
                &meeting.local_time,
                &zone.name(),
                &starts_at,
                &meeting.status.as_str(),
                &meeting.status_evidence.as_ref().map(Json),
                &meeting.location,
                &agenda,
                &minutes,
                &page,
                &Json(meeting),
                &meeting.fingerprint().as_str(),
                &aliases,
            ],
        )
        .await?;
    let (id, listing_no, vendor_id) = (MeetingId(row.get(0)), row.get(1), SourceMeetingId(row.get(2)));
    let changes = if row.get(3) { changes(&row, meeting)? } else { Vec::new() };
    let listed = Listed { id, vendor_id, listing_no, changes };
    if listed.vendor_id != meeting.vendor_id {
        aliases.push(meeting.vendor_id.as_str());
    }
    if !aliases.is_empty() {
        aliases::add(client, city, listed.id, &aliases).await?;
    }
    Ok(listed)
}

/// The status is compared with the row's: it may be withdrawn, which no listing says.
fn changes(row: &Row, meeting: &ParsedMeeting) -> Result<Vec<Change>, Error> {
    let (status, before) = (row.get::<_, Option<&str>>(4), row.try_get::<_, Option<Json<Value>>>(5)?);
    let Some(status) = status else { return Ok(vec![Change::only(ChangeKind::MeetingListed)]) };
    // A listing of an older version may be unreadable: what differs is not known then.
    let before = before.and_then(|before| serde_json::from_value::<ParsedMeeting>(before.0).ok());
    let Some(before) = before else { return Ok(vec![Change::only(ChangeKind::OtherChanged)]) };
    let before = ParsedMeeting { status: status.parse().unwrap_or(before.status), ..before };
    Ok(listing_changes(&before, meeting))
}

/// One meeting of a city, by the vendor's id.
///
/// # Errors
/// When the database fails, or the stored listing is of a version that can't be read.
pub async fn find<C: Statements>(
    client: &C,
    city: &CitySlug,
    meeting: &SourceMeetingId,
) -> Result<Option<StoredMeeting>, Error> {
    let sql = "select m.id, m.listing, m.revision_id, m.summary_id from meetings m join cities c on c.id = m.city_id \
               where c.slug = $1 and m.vendor_id = $2";
    let Some(row) = client.query_opt(sql, &[&city.as_str(), &meeting.as_str()]).await? else { return Ok(None) };
    let listing: Json<ParsedMeeting> = row.try_get(1)?;
    Ok(Some(StoredMeeting {
        id: MeetingId(row.get(0)),
        listing: listing.0,
        revision: row.get::<_, Option<i64>>(2).map(RevisionId),
        summary: row.get::<_, Option<i64>>(3).map(SummaryId),
    }))
}

/// A meeting's title and day, as its summary is headed, and its city's short name; none: no such meeting.
///
/// # Errors
/// When the database fails.
pub async fn title<C: Statements>(client: &C, meeting: MeetingId) -> Result<Option<(String, String)>, Error> {
    let sql = "select m.title || ', ' || m.local_date, c.slug from meetings m join cities c on c.id = m.city_id where m.id = $1";
    Ok(client.query_opt(sql, &[&meeting.0]).await?.map(|row| (row.get(0), row.get(1))))
}

/// Notes that a meeting has no summary: the earlier one is of another input.
///
/// # Errors
/// When the database fails.
pub async fn clear_summary<C: Statements>(client: &C, meeting: MeetingId) -> Result<(), Error> {
    let sql = "update meetings set summary_id = null where id = $1 and summary_id is not null";
    client.execute(sql, &[&meeting.0]).await.map(drop)
}

/// Makes a summary the current one.
///
/// # Errors
/// When the database fails.
pub async fn set_summary<C: Statements>(client: &C, meeting: MeetingId, summary: SummaryId) -> Result<(), Error> {
    client.execute("update meetings set summary_id = $2 where id = $1", &[&meeting.0, &summary.0]).await.map(drop)
}

/// Locks the meeting until the transaction ends and tells the fingerprint of its current revision.
pub(super) async fn lock<C: Statements>(client: &C, meeting: MeetingId) -> Result<Option<Fingerprint>, Error> {
    client.execute("select from meetings where id = $1 for no key update", &[&meeting.0]).await?;
    let sql = "select r.fingerprint from meetings m join meeting_revisions r on r.id = m.revision_id where m.id = $1";
    let row = client.query_opt(sql, &[&meeting.0]).await?;
    Ok(row.and_then(|row| serde_json::from_value(row.get::<_, String>(0).into()).ok()))
}
