//! A city, and where its meetings are published.

use super::CitySlug;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A city whose meetings are followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct City {
    /// Its short name, the key everywhere.
    pub slug: CitySlug,
    /// Its name for people, such as `Seattle, WA`.
    pub name: String,
    /// The zone its clocks show: vendors publish local times without one.
    pub zone: Zone,
    /// Where its meetings are published.
    pub source: Source,
}

/// One binding of a city to a vendor's site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The vendor.
    pub vendor: Vendor,
    /// The city's name at the vendor: Legistar's client, the subdomain elsewhere.
    pub client: String,
    /// What only this vendor needs (Granicus: `view_id`; Legistar: `attachment_base`).
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// A vendor that Docket can read. A closed set: it is a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// Legistar: its web API, or the calendar pages of clients that closed it.
    Legistar,
    /// PrimeGov's public portal.
    PrimeGov,
    /// Granicus' `ViewPublisher` pages.
    Granicus,
    /// CivicPlus' `AgendaCenter` pages.
    CivicPlus,
    /// CivicClerk's API.
    CivicClerk,
}

/// A vendor's name that is none of [`Vendor::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown vendor {0:?}: use one of {names}", names = Vendor::ALL.iter().map(|vendor| vendor.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownVendor(pub String);

impl Vendor {
    /// Every vendor.
    pub const ALL: &'static [Self] =
        &[Self::Legistar, Self::PrimeGov, Self::Granicus, Self::CivicPlus, Self::CivicClerk];

    /// Its name in configuration, the database and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Legistar => "legistar",
            Self::PrimeGov => "primegov",
            Self::Granicus => "granicus",
            Self::CivicPlus => "civicplus",
            Self::CivicClerk => "civicclerk",
        }
    }

    /// Whether it tells the matter of each item that has one, so that an item without is a heading or procedure.
    #[must_use]
    pub const fn names_matters(self) -> bool {
        matches!(self, Self::Legistar)
    }

    /// Whether a meeting has another id after it than before it.
    #[must_use]
    pub const fn renumbers(self) -> bool {
        matches!(self, Self::Granicus)
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Vendor {
    type Err = UnknownVendor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|vendor| vendor.as_str() == text).ok_or_else(|| UnknownVendor(text.to_owned()))
    }
}

/// An IANA time zone, known to exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}: use an IANA name such as America/Los_Angeles")]
pub struct UnknownZone(pub String);

impl Zone {
    /// Looks a zone up by its IANA name.
    ///
    /// # Errors
    /// When there is no zone of this name.
    pub fn new(name: &str) -> Result<Self, UnknownZone> {
        let zone = TimeZone::get(name).map_err(|_| UnknownZone(name.to_owned()))?;
        // `TimeZone::get` may know names (such as "local" or fixed offsets) that tell no rules: a city needs rules.
        if zone.iana_name().is_some() { Ok(Self(zone)) } else { Err(UnknownZone(name.to_owned())) }
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_keeps_its_name_through_json() {
        let zone: Zone = serde_json::from_str("\"America/Los_Angeles\"").unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"America/Los_Angeles\"");
    }

    #[test]
    fn names_that_are_no_zone_are_refused() {
        for name in ["", "Mars/Olympus", "PST8PDT7", "../etc/passwd"] {
            assert_eq!(Zone::new(name), Err(UnknownZone(name.to_owned())));
        }
    }

    #[test]
    fn an_unknown_vendor_lists_the_known_ones() {
        let error = "legistarr".parse::<Vendor>().unwrap_err().to_string();
        for vendor in Vendor::ALL {
            assert!(error.contains(vendor.as_str()), "{error}");
        }
    }
}
