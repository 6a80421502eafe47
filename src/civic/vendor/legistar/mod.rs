//! Legistar: the web API, the best structured source, and the calendar pages of clients that closed it. Each list of the API is
//! JSON, and each field may be missing.

mod calendar;
mod client;
mod events;
mod items;
mod site;

pub use calendar::parse_calendar;
pub use client::{DEFAULT_BASE_URL, LegistarClient};
pub use events::parse_events;
pub use items::{parse_event_items, parse_event_items_with};
pub use site::Legistar;
pub(in crate::civic::vendor) use site::site;
