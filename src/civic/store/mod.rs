//! The domain's tables, one file a noun.
//!
//! Every function takes a connection or a transaction of the caller, who decides what is written together. Writing the
//! same thing twice changes nothing: a job may run more than once.

pub mod absences;
pub mod aliases;
pub mod changes;
pub mod cities;
pub mod courtesy;
pub mod documents;
pub mod extractions;
pub mod found;
mod id;
pub mod items;
pub mod llm_answers;
pub mod llm_costs;
pub mod llm_estimate;
pub mod llm_ledger;
pub mod llm_lost;
pub mod llm_money;
pub mod matters;
pub mod meetings;
pub mod paces;
pub mod read;
pub mod refs;
pub mod replay;
pub mod responses;
pub mod revisions;
pub mod segments;
pub mod summaries;
pub mod syncs;
mod trials;

pub use id::{CityId, ItemId, MatterRowId, MeetingId, RefId, RevisionId, SummaryId};
pub use trials::trials;
