//! What changed at meetings.

use super::{Cursor, city_id, clamp};
use crate::{
    civic::model::{Change, CitySlug},
    fleet::ledger::read::Page,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Error, GenericClient, Row, types::Json};
use utoipa::ToSchema;

/// Which changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Of this city.
    pub city: Option<CitySlug>,
    /// Not before this instant.
    pub since: Option<Timestamp>,
    /// Older than this one.
    pub before: Option<Cursor<Timestamp>>,
}

/// What one listing or one revision said anew of a meeting.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ChangeView {
    /// The row.
    pub id: i64,
    /// When it was written.
    pub at: Timestamp,
    /// The city.
    pub city: String,
    /// The meeting.
    pub meeting_id: i64,
    /// Its title, as it is now.
    pub title: String,
    /// Its day, as it is now.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// The number of the revision; none: the listing said it.
    pub revision: Option<i32>,
    /// What kinds of changes.
    pub kinds: Vec<String>,
    /// The changes, at most 100.
    pub changes: Vec<Change>,
    /// How many more there were.
    pub more: i64,
}

/// As `store::changes` writes it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    changes: Vec<Change>,
    more: i64,
}

const LIST: &str = "\
select h.id, h.at, c.slug, h.meeting_id, m.title, m.local_date, r.number, h.kinds, h.detail
from (select * from meeting_changes
      where ($1::bigint is null or city_id = $1) and ($2::timestamptz is null or at >= $2)
        and ($3::timestamptz is null or (at, id) < ($3, $4::bigint))
      order by at desc, id desc limit $5) h
join meetings m on m.id = h.meeting_id join cities c on c.id = h.city_id left join meeting_revisions r on r.id = h.revision_id
order by h.at desc, h.id desc";

/// Changes, newest first. None: there is no such city. `limit` is clamped to a page's.
///
/// # Errors
/// When the database fails.
pub async fn changes<C: GenericClient + Sync>(
    client: &C,
    filter: &ChangeFilter,
    limit: i64,
) -> Result<Option<Page<ChangeView, Cursor<Timestamp>>>, Error> {
    let limit = clamp(limit);
    let Some(city) = city_id(client, filter.city.as_ref()).await? else { return Ok(None) };
    let (at, id) = filter.before.map(|cursor| (cursor.key, cursor.id)).unzip();
    let rows = client.query(LIST, &[&city, &filter.since, &at, &id, &(limit + 1)]).await?;
    Ok(Some(Page::of(rows.iter().map(read).collect(), limit, |change| Cursor { key: change.at, id: change.id })))
}

fn read(row: &Row) -> ChangeView {
    // What a newer version wrote may be of a kind that this one doesn't know: the kinds are told all the same.
    let detail = row.get::<_, Json<serde_json::Value>>(8).0;
    let Detail { changes, more } = serde_json::from_value(detail).unwrap_or_default();
    ChangeView {
        id: row.get(0),
        at: row.get(1),
        city: row.get(2),
        meeting_id: row.get(3),
        title: row.get(4),
        date: row.get(5),
        revision: row.get(6),
        kinds: row.get(7),
        changes,
        more,
    }
}
