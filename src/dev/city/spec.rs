//! What a made-up city is made from.

use crate::civic::model::Vendor;
use jiff::{Zoned, civil::Date, tz::TimeZone};
use std::time::Duration;

/// The zone of every made-up city.
pub(super) const ZONE: &str = "America/Denver";

/// The recipe: the same one gives the same city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CitySpec {
    /// Meetings, the cancelled ones included. Each seventh is cancelled; the faults repeat with each seven.
    pub meetings: usize,
    /// Chooses subjects, sums and sentences.
    pub seed: u64,
    /// The day before the first meeting.
    pub today: Date,
    /// How long the slow document takes.
    pub slow: Duration,
    /// Items of business at a meeting, besides procedure and second readings. The last one has no documents.
    pub business: usize,
    /// Whether documents have faults.
    pub faults: bool,
    /// Whose site the city has: each vendor has one city.
    pub vendor: Vendor,
}

impl CitySpec {
    /// A small city of this vendor without faults.
    #[must_use]
    pub fn of(vendor: Vendor) -> Self {
        Self { vendor, seed: 1 + vendor as u64, business: 3, faults: false, ..Self::default() }
    }

    /// The city's name, without the state.
    pub(super) const fn name(&self) -> &'static str {
        match self.vendor {
            Vendor::Legistar => "Alder Falls",
            Vendor::PrimeGov => "Birch Landing",
            Vendor::Granicus => "Cedar Mesa",
            Vendor::CivicPlus => "Dogwood Bay",
            Vendor::CivicClerk => "Elm Prairie",
        }
    }
}

/// Whether a vendor's site tells of the items of an agenda. The others have only the printed agenda.
pub(super) const fn lists_items(vendor: Vendor) -> bool {
    matches!(vendor, Vendor::Legistar | Vendor::CivicClerk)
}

impl Default for CitySpec {
    fn default() -> Self {
        let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
        let today = Zoned::now().with_time_zone(zone).date();
        Self {
            meetings: 7,
            seed: 1,
            today,
            slow: Duration::from_secs(3),
            business: 5,
            faults: true,
            vendor: Vendor::Legistar,
        }
    }
}

/// What is wrong with a document's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 404 for ever: not worth a second attempt.
    Missing,
    /// 503 to the first two attempts of a job; to the first two requests that name no attempt.
    FailsTwice,
    /// 500 for ever: a dead letter.
    Broken,
    /// The answer takes a while.
    Slow,
}
