//! The cities that are followed.

use super::CityId;
use crate::{
    civic::model::{City, CitySlug, Source, Zone},
    db::Statements,
    fleet::handler::{ErrorClass, HandlerError},
};
use jiff::{Timestamp, Zoned, civil::Date};
use std::collections::BTreeMap;
use tokio_postgres::{Row, types::Json};

/// A city and its row.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCity {
    /// The row.
    pub id: CityId,
    /// What it is.
    pub city: City,
    /// When its meetings were last listed in full; none: never.
    pub synced_at: Option<Timestamp>,
}

impl StoredCity {
    /// Today on the city's calendar.
    #[must_use]
    pub fn today(&self) -> Date {
        Zoned::now().with_time_zone(self.city.zone.rules().clone()).date()
    }

    /// Days from today to a day; negative ones have passed.
    #[must_use]
    pub fn days_to(&self, day: Date) -> i32 {
        (day - self.today()).get_days()
    }
}

/// Why there is no such city.
#[derive(Debug, thiserror::Error)]
pub enum CityError {
    /// The slug can't be one.
    #[error("{0:?} is no short name: use lower-case letters, digits and hyphens, such as seattle-wa")]
    Slug(String),
    /// Another city has the slug or the source.
    #[error("a different city named {slug:?} exists already, or another city has the same source: list the cities")]
    Taken {
        /// The slug.
        slug: String,
    },
    /// Nobody added it.
    #[error("unknown city {slug:?}: {}", known_cities(.known))]
    Unknown {
        /// The slug.
        slug: String,
        /// Some that are known.
        known: Vec<String>,
    },
    /// The row holds what this version can't read.
    #[error("city {slug:?} can't be used: {reason}")]
    Unusable {
        /// The slug.
        slug: String,
        /// What is wrong.
        reason: String,
    },
    /// The database refused or is away.
    #[error("{}", crate::db::describe(.0))]
    Database(#[from] tokio_postgres::Error),
}

fn known_cities(known: &[String]) -> String {
    if known.is_empty() { "none is known, add one first".to_owned() } else { format!("known are {}", known.join(", ")) }
}

impl From<CityError> for HandlerError {
    fn from(error: CityError) -> Self {
        match error {
            CityError::Database(e) => e.into(),
            other => Self::non_retryable(ErrorClass::InvalidArgs, other.to_string()),
        }
    }
}

const COLUMNS: &str = "id, slug, name, zone, vendor, client, params, synced_at";

/// Adds a city. Adding the same once more changes nothing.
///
/// # Errors
/// When the slug is none, a different city has it, or another city has the same source.
pub async fn add<C: Statements>(client: &C, city: &City) -> Result<CityId, CityError> {
    if !is_slug(city.slug.as_str()) {
        return Err(CityError::Slug(city.slug.as_str().chars().take(80).collect()));
    }
    let (vendor, params) = (city.source.vendor.as_str(), Json(&city.source.params));
    let sql = "insert into cities (slug, name, zone, vendor, client, params) values ($1, $2, $3, $4, $5, $6) \
               on conflict do nothing returning id";
    let (slug, zone) = (city.slug.as_str(), city.zone.name());
    let row = client.query_opt(sql, &[&slug, &city.name, &zone, &vendor, &city.source.client, &params]).await?;
    if let Some(row) = row {
        return Ok(CityId(row.get(0)));
    }
    match find(client, &city.slug).await {
        Ok(found) if found.city == *city => Ok(found.id),
        Ok(_) | Err(CityError::Unknown { .. }) => Err(CityError::Taken { slug: slug.to_owned() }),
        Err(other) => Err(other),
    }
}

/// All cities, by slug.
///
/// # Errors
/// When a row can't be read, or the database fails.
pub async fn list<C: Statements>(client: &C) -> Result<Vec<StoredCity>, CityError> {
    let rows = client.query(&format!("select {COLUMNS} from cities order by slug"), &[]).await?;
    rows.iter().map(read).collect()
}

/// The city of this name.
///
/// # Errors
/// [`CityError::Unknown`] names some that are known.
pub async fn find<C: Statements>(client: &C, slug: &CitySlug) -> Result<StoredCity, CityError> {
    let sql = format!("select {COLUMNS} from cities where slug = $1");
    if let Some(row) = client.query_opt(&sql, &[&slug.as_str()]).await? {
        return read(&row);
    }
    let known = client.query("select slug from cities order by slug limit 10", &[]).await?;
    let slug = slug.as_str().chars().take(80).collect();
    Err(CityError::Unknown { slug, known: known.iter().map(|row| row.get(0)).collect() })
}

/// Notes that the city's meetings were listed in full just now.
///
/// # Errors
/// When the database fails.
pub async fn mark_synced<C: Statements>(client: &C, city: CityId) -> Result<(), tokio_postgres::Error> {
    client.execute("update cities set synced_at = now() where id = $1", &[&city.0]).await.map(drop)
}

fn read(row: &Row) -> Result<StoredCity, CityError> {
    let slug: String = row.get("slug");
    let unusable = |reason: String| CityError::Unusable { slug: slug.clone(), reason };
    let zone = Zone::new(row.get("zone")).map_err(|e| unusable(e.to_string()))?;
    let vendor = row.get::<_, &str>("vendor").parse().map_err(|e| unusable(format!("{e}")))?;
    let params: Json<BTreeMap<String, String>> =
        row.try_get("params").map_err(|_| unusable("its params are not a map of texts".to_owned()))?;
    Ok(StoredCity {
        id: CityId(row.get("id")),
        city: City {
            slug: CitySlug(slug.clone()),
            name: row.get("name"),
            zone,
            source: Source { vendor, client: row.get("client"), params: params.0 },
        },
        synced_at: row.get("synced_at"),
    })
}

/// As the table's check has it.
fn is_slug(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&text.len()) && plain(text.as_bytes()[0]) && text.bytes().all(|b| plain(b) || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for good in ["seattle-wa", "a", "3-rivers"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "-a", "Seattle", "a b", "ä", "a/b", &"x".repeat(64)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }

    #[test]
    fn an_unknown_city_says_what_to_do() {
        let error = |known: &[&str]| {
            let known = known.iter().map(|&s| s.to_owned()).collect();
            CityError::Unknown { slug: "atlantis".into(), known }.to_string()
        };
        assert_eq!(error(&[]), "unknown city \"atlantis\": none is known, add one first");
        assert_eq!(error(&["a", "b"]), "unknown city \"atlantis\": known are a, b");
    }
}
