//! The domain's tables, one file a noun.
//!
//! Every function takes a connection or a transaction of the caller, who decides what is written together. Writing the
//! same thing twice changes nothing: a job may run more than once.

pub mod aliases;
pub mod cities;
pub mod documents;
pub mod extractions;
mod id;
pub mod items;
pub mod llm_ledger;
pub mod matters;
pub mod meetings;
pub mod paces;
pub mod refs;
pub mod revisions;
pub mod segments;
pub mod summaries;
pub mod syncs;
mod trials;

pub use id::{CityId, ItemId, MeetingId, RefId, RevisionId, SummaryId};
pub use trials::trials;
