//! The domain: meetings, documents, summaries. It reaches the fleet through the list of its job handlers.

pub mod document;
pub mod handler;
pub mod llm;
pub mod model;
pub mod store;
pub mod vendor;
