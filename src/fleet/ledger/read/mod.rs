//! Reading the ledger, for people: the API, the command line, the console. No loop depends on these statements.
//!
//! Each function is one or a few plain queries over the caller's client. Lists are paged by key and bounded; what can
//! grow with history is either capped or asked for explicitly ([`exact_stats`]).

mod detail;
mod lanes;
mod list;
mod pending;
mod processes;
mod rows;
mod stats;
mod totals;

pub use detail::{HISTORY_MAX, job_detail};
pub use lanes::{LaneRow, lanes};
pub use list::{Cursor, CursorError, JobFilter, PAGE_MAX, Page, dead_letters, jobs};
pub use pending::pending_by_kind;
pub use processes::{ProcessRow, processes};
pub(super) use rows::status;
pub use rows::{AttemptRow, DeadRow, EventRow, JobDetail, JobRow};
pub use stats::{DUE_CAP, LaneStats, QueueStats, exact_stats, queue_stats};
pub use totals::Totals;
