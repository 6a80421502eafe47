//! Who asks, and what for.

use crate::civic::{
    model::Vendor,
    store::{CityId, RefId},
    vendor::Window,
};
use uuid::Uuid;

/// What a request is for. A closed set, which the schema knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Which meetings there are.
    Listing,
    /// What is on a meeting's agenda.
    Agenda,
    /// A document's bytes.
    Document,
}

impl Purpose {
    /// Its name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Agenda => "agenda",
            Self::Document => "document",
        }
    }
}

/// What the requests of one piece of work have in common.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The name of the piece of work: the pages of one listing share it.
    pub ask: Uuid,
    /// The job.
    pub job: Option<i64>,
    /// The city.
    pub city: Option<CityId>,
    /// Where an agenda refers to it: it tells the city of a document.
    pub reference: Option<RefId>,
    /// The vendor.
    pub vendor: Vendor,
    /// What for.
    pub purpose: Purpose,
    /// The days that a listing asks for.
    pub window: Option<Window>,
}

impl Scope {
    /// Work of this job for this vendor.
    #[must_use]
    pub fn new(purpose: Purpose, vendor: Vendor, job: i64) -> Self {
        Self { ask: Uuid::now_v7(), job: Some(job), city: None, reference: None, vendor, purpose, window: None }
    }

    /// Of a city.
    #[must_use]
    pub const fn of(self, city: CityId) -> Self {
        Self { city: Some(city), ..self }
    }
}
