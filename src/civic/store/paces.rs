//! When each city is to be listed next.

use super::cities::{self, CityError, StoredCity};
use crate::{
    civic::model::{Activity, SyncOutcome, spread, wait},
    db::Statements,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::{collections::HashMap, time::Duration};

/// What the plan of a city's next listing rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// The city.
    pub city: StoredCity,
    /// Its last listing; 0: it was never listed.
    pub listing: i64,
    /// When that was.
    pub listed_at: Option<Timestamp>,
    outcome: Option<SyncOutcome>,
    failures: u32,
    next_meeting: Option<Date>,
    changed_at: Option<Timestamp>,
}

impl Pace {
    /// When it is due; none: at once.
    #[must_use]
    pub fn due_at(&self, every: Duration, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned(self.city.city.zone.rules().clone()).date();
        let days = |days: i32| u32::try_from(days).unwrap_or(0);
        let activity = Activity {
            outcome: self.outcome,
            failures: self.failures,
            days_to_meeting: self.next_meeting.map(|day| days((day - today).get_days())),
            days_since_change: self.changed_at.map(|at| {
                let day = at.to_zoned(self.city.city.zone.rules().clone()).date();
                days((today - day).get_days())
            }),
        };
        let after = spread(wait(&activity, every), &self.city.city.slug);
        self.listed_at?.checked_add(after).ok()
    }
}

/// Days before and after today whose meetings tell how busy a city is. The index of meetings by date bounds what is read.
const PAST_DAYS: i32 = 30;
const AHEAD_DAYS: i32 = 90;

/// Listings that are looked at for the last good one: after sixteen the wait grows no more.
const LISTINGS: i64 = 16;

const PACES: &str = "\
select c.slug, coalesce(last.id, 0), last.at, last.outcome, streak.n::int, next.day, changed.at
from cities c
left join lateral (
  select id, at, outcome from city_syncs s where s.city_id = c.id order by id desc limit 1) last on true
left join lateral (
  select count(*) as n from (select id, outcome from city_syncs s where s.city_id = c.id order by id desc limit $4) r
  where r.id > coalesce((select max(id) from (
    select id, outcome from city_syncs s where s.city_id = c.id order by id desc limit $4) g
    where g.outcome in ('success', 'empty')), 0)) streak on true
left join lateral (
  select min(m.local_date) as day from meetings m
  where m.city_id = c.id and m.local_date between $1::date - 1 and $1::date + $3::int
    and m.status not in ('cancelled', 'withdrawn')) next on true
left join lateral (
  select max(m.updated_at) as at from meetings m
  where m.city_id = c.id and m.local_date between $1::date - $2::int and $1::date + $3::int) changed on true
where last.at is null or last.at <= $5
order by last.at nulls first, c.id";

/// The cities that were not listed since a moment, the longest ago first.
///
/// # Errors
/// When a city's row can't be read, or the database fails.
pub async fn paces<C: Statements>(client: &C, now: Timestamp, since: Timestamp) -> Result<Vec<Pace>, CityError> {
    let mut known: HashMap<String, StoredCity> =
        cities::list(client).await?.into_iter().map(|city| (city.city.slug.0.clone(), city)).collect();
    let today = now.to_zoned(TimeZone::UTC).date();
    let rows = client.query(PACES, &[&today, &PAST_DAYS, &AHEAD_DAYS, &LISTINGS, &since]).await?;
    let read = |row: &tokio_postgres::Row| {
        let city = known.remove(row.get::<_, &str>(0))?;
        Some(Pace {
            city,
            listing: row.get(1),
            listed_at: row.get(2),
            outcome: row.get::<_, Option<&str>>(3).and_then(SyncOutcome::named),
            failures: u32::try_from(row.get::<_, i32>(4)).unwrap_or(0),
            next_meeting: row.get(5),
            changed_at: row.get(6),
        })
    };
    // A city that was added between the two statements has its turn at the next call.
    Ok(rows.iter().filter_map(read).collect())
}
