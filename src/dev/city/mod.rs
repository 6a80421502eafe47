//! Made-up cities, one for each vendor: the council's calendar in the vendor's own format, and its agendas and reports as
//! PDFs, served on loopback.
//!
//! What a city serves follows from a [`CitySpec`] alone, faults included: a missing document, a site that fails twice, one
//! that fails for good, a slow one, a cancelled meeting, rows that only structure a page. [`DemoCity::expected`] says
//! what a fleet must have made of it in the end. Names, sums and texts are invented.

mod civicclerk;
mod civicplus;
mod expected;
mod five;
mod granicus;
mod legistar;
mod pdf;
mod plan;
mod primegov;
mod prose;
mod server;
mod site;
mod spec;

pub use expected::Expected;
pub use five::Five;
pub use server::DemoCity;
pub use spec::{CitySpec, Fault};

/// So many of a made-up city's PDFs, of two to four pages each, no two of them alike.
pub(super) fn papers(count: usize, seed: u64) -> Vec<Vec<u8>> {
    plan::Plan::papers(count, seed)
}

#[cfg(test)]
mod tests;
