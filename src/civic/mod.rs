//! The domain: meetings, documents, summaries. It reaches the fleet through [`handlers`], the list of its job kinds.

pub mod agenda;
mod coverage;
pub mod document;
mod follow;
pub mod handler;
pub mod llm;
pub mod model;
mod services;
pub mod settings;
pub mod store;
pub mod vendor;

pub use coverage::publish_coverage;
pub use follow::{follow, tick};
pub use handler::{SyncError, enqueue_sync, handlers};
pub use services::{Services, ServicesError};
