//! The cities.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Error, GenericClient, Row};
use utoipa::ToSchema;

/// A city whose meetings are followed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CityView {
    /// Its short name.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its IANA time zone.
    pub zone: String,
    /// Who publishes its meetings.
    pub vendor: String,
    /// Its name at the vendor.
    pub client: String,
    /// The last complete listing.
    pub synced_at: Option<Timestamp>,
}

/// A city with numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CityWhole {
    /// The city.
    #[serde(flatten)]
    pub city: CityView,
    /// Its meetings that are known.
    pub meetings: i64,
    /// Those from today on, on its own calendar.
    pub upcoming_meetings: i64,
    /// Its matters.
    pub matters: i64,
    /// How its last listing ended: `success`, `empty`, `suspect`, `blocked`, `broken` or `failed`; none: it was never listed.
    pub last_listing: Option<String>,
}

const CITIES: &str = "select slug, name, zone, vendor, client, synced_at from cities order by slug";

const CITY: &str = "\
select slug, name, zone, vendor, client, synced_at, (select count(*) from meetings m where m.city_id = c.id),
       (select count(*) from meetings m where m.city_id = c.id and m.local_date >= (now() at time zone c.zone)::date),
       (select count(*) from matters m where m.city_id = c.id and not m.retired
          and not exists (select from matter_aliases l where l.city_id = m.city_id and l.key = m.key)),
       (select s.outcome from city_syncs s where s.city_id = c.id order by s.id desc limit 1)
from cities c where slug = $1";

/// All cities, by slug: as many as operators have added.
///
/// # Errors
/// When the database fails.
pub async fn cities<C: GenericClient + Sync>(client: &C) -> Result<Vec<CityView>, Error> {
    Ok(client.query(CITIES, &[]).await?.iter().map(read).collect())
}

/// One city.
///
/// # Errors
/// When the database fails.
pub async fn city<C: GenericClient + Sync>(client: &C, slug: &str) -> Result<Option<CityWhole>, Error> {
    let whole = |row: Row| CityWhole {
        city: read(&row),
        meetings: row.get(6),
        upcoming_meetings: row.get(7),
        matters: row.get(8),
        last_listing: row.get(9),
    };
    Ok(client.query_opt(CITY, &[&slug]).await?.map(whole))
}

fn read(row: &Row) -> CityView {
    CityView {
        slug: row.get(0),
        name: row.get(1),
        zone: row.get(2),
        vendor: row.get(3),
        client: row.get(4),
        synced_at: row.get(5),
    }
}
