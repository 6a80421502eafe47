//! The API of the server role. All of it reads; numbers say their unit in their name; lists are paged by key.
//!
//! | route | parameters |
//! |---|---|
//! | `/api/queue-stats` | `exact=true`: count every row |
//! | `/api/jobs` | `status`, `kind`, `lane`, `limit` (1 to 500), `before` (a job's id) |
//! | `/api/jobs/{id}` | |
//! | `/api/dead-letters` | `limit`, `before` (the `next` of the page before) |

mod database;
mod dead_letters;
mod jobs;
mod queue_stats;
mod router;

pub use super::observe::tag as tag_route;
pub use database::Database;
pub use router::router;
