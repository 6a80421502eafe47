//! Legistar's web API: the best structured source. Each list is JSON, and each field may be missing.

mod client;
mod events;
mod items;
mod rows;

pub use client::{DEFAULT_BASE_URL, LegistarClient, Window};
pub use events::parse_events;
pub use items::{parse_event_items, parse_event_items_with};
