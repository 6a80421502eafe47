//! The API of the server role. Numbers say their unit in their name; lists are paged by key; GET never changes anything.
//!
//! | route | what |
//! |---|---|
//! | GET `/api/queue-stats` | `exact=true`: count every row |
//! | GET `/api/jobs` | `status`, `kind`, `lane`, `limit` (1 to 500), `before` (a job's id) |
//! | POST `/api/jobs`, `/api/jobs/bulk` | enqueue one, or up to 1,000 |
//! | GET `/api/jobs/{id}`, POST `…/cancel`, `…/requeue` | one job |
//! | GET `/api/dead-letters` | `limit`, `before` (the `next` of the page before) |
//! | POST `/api/dead-letters/requeue`, `…/discard` | `ids`, `kind` or `all` |
//! | GET `/api/lanes`, POST `/api/lanes/{lane}/pause`, `…/resume` | lanes |
//! | GET `/api/cities`, `/api/meetings`, `/api/items`, `/api/documents`, `/api/matters`, `/api/changes` | what was made of the meetings: see `civic` |
//! | GET `/api/openapi.json` | all of this, for programs |
//!
//! What a caller may do is decided before a route is chosen (`access`), but for what only an administrator may: the
//! routes ask for that themselves. Bodies are never logged.

mod body;
mod bulk;
mod civic;
mod database;
mod dead_letters;
mod jobs;
mod lanes;
mod openapi;
mod page;
mod queue_stats;
mod refusal;
mod router;
mod state;
mod wish;

pub use super::observe::tag as tag_route;
pub(super) use body::BodyLimit;
pub(super) use bulk::BULK_PATH;
pub use bulk::JOBS_MAX as BULK_JOBS_MAX;
pub use database::Database;
pub use router::router;
pub use state::Api;
