//! PrimeGov's public portal: lists in JSON, documents compiled on demand.

mod meetings;
mod site;

pub use meetings::parse_meetings;
pub use site::PrimeGov;
