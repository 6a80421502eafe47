//! CivicPlus: the agenda centres of small cities.

mod agenda_center;
mod site;

pub use agenda_center::parse_agenda_center;
pub use site::CivicPlus;
