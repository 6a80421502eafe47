//! A made-up city: its council's calendar on a Legistar API, and its agendas and reports as PDFs, served on loopback.
//!
//! What it serves follows from a [`CitySpec`] alone, faults included: a missing document, a site that fails twice, one
//! that fails for good, a slow one, a cancelled meeting, rows that only structure a page. [`DemoCity::expected`] says
//! what a fleet must have made of it in the end. Names, sums and texts are invented.

mod expected;
mod legistar;
mod pdf;
mod plan;
mod prose;
mod server;
mod spec;

pub use expected::Expected;
pub use server::DemoCity;
pub use spec::{CitySpec, Fault};

/// So many of a made-up city's PDFs, of two to four pages each, no two of them alike.
pub(super) fn papers(count: usize, seed: u64) -> Vec<Vec<u8>> {
    plan::Plan::papers(count, seed)
}

#[cfg(test)]
mod tests;
