//! The other ids of a meeting at its vendor.

use super::{CityId, MeetingId};
use crate::{
    civic::model::{ParsedMeeting, SourceMeetingId},
    db::Statements,
};
use std::collections::HashSet;
use tokio_postgres::Error;

/// What an id led to stays: it is somebody's name for that meeting.
const ADD: &str = "\
insert into meeting_aliases (city_id, alias, meeting_id)
select $1, alias, $2 from unnest($3::text[]) alias
where not exists (select from meetings m where m.city_id = $1 and m.vendor_id = alias)
on conflict (city_id, alias) do nothing";

/// The listed meetings that nobody knows, and the known ones of the same name and day, and much the same time, that are
/// listed no more. Where either is not alone, nobody can tell which became which.
const ADOPT: &str = "\
with listed as (
  select * from unnest($2::text[], $3::date[], $4::text[], $5::time[]) as l (id, day, title, start)
), pairs as (
  select l.id, m.id as meeting, count(*) over (partition by l.id) as meetings, count(*) over (partition by m.id) as ids
  from listed l join meetings m on m.city_id = $1 and m.local_date = l.day and lower(m.title) = lower(l.title)
  where m.vendor_id <> all ($2)
    and coalesce(abs(extract(epoch from m.local_time - l.start)) <= 3600, true)
    and not exists (select from meetings k where k.city_id = $1 and k.vendor_id = l.id)
    and not exists (select from meeting_aliases a where a.city_id = $1 and a.alias = l.id)
    and not exists (select from meeting_aliases a where a.meeting_id = m.id and a.alias = any ($2))
)
insert into meeting_aliases (city_id, alias, meeting_id)
select $1, id, meeting from pairs where meetings = 1 and ids = 1
on conflict (city_id, alias) do nothing";

/// Notes ids of a meeting.
///
/// # Errors
/// When the database fails.
pub(super) async fn add<C: Statements>(
    client: &C,
    city: CityId,
    meeting: MeetingId,
    aliases: &[&str],
) -> Result<(), Error> {
    client.execute(ADD, &[&city.0, &meeting.0, &aliases]).await.map(drop)
}

/// Before a listing is written: finds out which of its meetings are known by an id that the vendor has given up.
///
/// # Errors
/// When the database fails.
pub async fn adopt<C: Statements>(client: &C, city: CityId, listed: &[ParsedMeeting]) -> Result<(), Error> {
    let ids: Vec<&str> = listed.iter().map(|meeting| meeting.vendor_id.as_str()).collect();
    let days: Vec<_> = listed.iter().map(|meeting| meeting.local_date).collect();
    let titles: Vec<&str> = listed.iter().map(|meeting| meeting.title.as_str()).collect();
    let starts: Vec<_> = listed.iter().map(|meeting| meeting.local_time).collect();
    client.execute(ADOPT, &[&city.0, &ids, &days, &titles, &starts]).await.map(drop)
}

const WITHDRAWN: &str = "\
select m.vendor_id from meetings m where m.city_id = $1 and m.status = 'withdrawn'
union select a.alias from meetings m join meeting_aliases a on a.meeting_id = m.id where m.city_id = $1 and m.status = 'withdrawn'";

/// The ids of a city's meetings that its source has withdrawn.
///
/// # Errors
/// When the database fails.
pub async fn withdrawn<C: Statements>(client: &C, city: CityId) -> Result<HashSet<SourceMeetingId>, Error> {
    let rows = client.query(WITHDRAWN, &[&city.0]).await?;
    Ok(rows.iter().map(|row| SourceMeetingId(row.get(0))).collect())
}
