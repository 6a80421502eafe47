//! CivicClerk: an API that speaks `OData`.

mod events;
mod items;
mod site;

pub use events::parse_events;
pub use items::parse_items;
pub use site::CivicClerk;
