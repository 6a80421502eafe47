//! Five cities, one a vendor, and what happens to them.

use super::{CitySpec, DemoCity, Expected};
use crate::civic::model::Vendor;
use std::io;

/// The five, running.
#[derive(Debug)]
pub struct Five {
    cities: Vec<DemoCity>,
}

impl Five {
    /// Starts them, each on a port of its own. Alder Falls has all the faults that documents can have.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let mut cities = Vec::with_capacity(Vendor::ALL.len());
        for vendor in Vendor::ALL {
            let spec = if *vendor == Vendor::Legistar { CitySpec::default() } else { CitySpec::of(*vendor) };
            cities.push(DemoCity::start(&spec).await?);
        }
        Ok(Self { cities })
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[DemoCity] {
        &self.cities
    }

    /// `host:port` of each, separated by commas: the exceptions that a client needs.
    #[must_use]
    pub fn allowed(&self) -> String {
        let hosts = self.cities.iter().map(|city| city.address().to_string());
        hosts.collect::<Vec<_>>().join(",")
    }

    /// Requests that all of them have seen.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.cities.iter().map(DemoCity::requests).sum()
    }

    /// `PrimeGov`'s documents can't be had, or again.
    pub fn outage(&self, is_down: bool) {
        self.each(Vendor::PrimeGov, |city| city.refuse_documents(is_down));
    }

    /// What is new when they are listed for the second time: `Granicus`' last meeting is cancelled, `CivicPlus` has a new
    /// design, and behind the address of one of `CivicClerk`'s attachments is another document.
    pub fn change(&self) {
        self.each(Vendor::Granicus, DemoCity::cancel);
        self.each(Vendor::CivicPlus, DemoCity::redesign);
        self.each(Vendor::CivicClerk, DemoCity::swap);
    }

    /// What a fleet must have made of them after the second listing.
    #[must_use]
    pub fn expected(&self) -> Expected {
        let mut all = self.cities.iter().map(DemoCity::expected).fold(Expected::default(), Expected::and);
        // The listing of the new design, tried three times.
        all.dead_letter += 1;
        all.min_retries += 2;
        // The model's overload.
        all.min_retries += 1;
        all.cancelled += 1;
        // The other document, its item's summary and its meeting's.
        all.documents += 1;
        all.summaries += 2;
        all
    }

    fn each(&self, vendor: Vendor, act: impl Fn(&DemoCity)) {
        self.cities.iter().filter(|city| city.city().source.vendor == vendor).for_each(act);
    }
}
