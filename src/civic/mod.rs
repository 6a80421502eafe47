//! The domain: meetings, documents, summaries. It reaches the fleet through [`handlers`], the list of its job kinds.

pub mod agenda;
mod budgets;
mod city_label;
mod coverage;
pub mod document;
mod follow;
pub mod handler;
pub mod llm;
mod lost_calls;
pub mod model;
pub mod record;
mod services;
pub mod settings;
pub mod store;
pub mod vendor;

pub use budgets::publish_budgets;
pub use coverage::publish_coverage;
pub use follow::{follow, tick};
pub use handler::{SyncError, enqueue_reparse, enqueue_sync, handlers};
pub use lost_calls::{book_lost_calls, watch_lost_calls};
pub use record::prune_record;
pub use services::{Services, ServicesError};
