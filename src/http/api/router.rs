//! The routes.

use super::{super::Problem, Database, dead_letters, jobs, queue_stats, tag_route};
use axum::{Router, middleware, routing::get};

/// The routes of the server role, for [`Routes`](crate::http::Routes).
pub fn router(database: Database) -> Router {
    Router::new()
        .route("/api/queue-stats", get(queue_stats::show))
        .route("/api/jobs", get(jobs::list))
        .route("/api/jobs/{id}", get(jobs::show))
        .route("/api/dead-letters", get(dead_letters::list))
        .layer(middleware::from_fn(tag_route))
        .method_not_allowed_fallback(async || Problem::method())
        .fallback(async || Problem::no_route())
        .with_state(database)
}
