//! The routes, and with them their document.

use super::{
    super::Problem,
    Api, bulk,
    civic::{changes, cities, documents, matters, meetings},
    dead_letters, jobs, lanes, openapi, queue_stats, tag_route,
};
use axum::{Extension, Router, middleware};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of the server role, for [`Routes`](crate::http::Routes).
pub fn router(api: Api) -> Router {
    let (router, document) = OpenApiRouter::new()
        .routes(routes!(queue_stats::show))
        .routes(routes!(jobs::list, jobs::create))
        .routes(routes!(bulk::create))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::requeue))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::requeue))
        .routes(routes!(dead_letters::discard))
        .routes(routes!(lanes::list))
        .routes(routes!(lanes::pause))
        .routes(routes!(lanes::resume))
        .routes(routes!(cities::list))
        .routes(routes!(cities::show))
        .routes(routes!(meetings::list))
        .routes(routes!(meetings::show))
        .routes(routes!(meetings::item))
        .routes(routes!(documents::show))
        .routes(routes!(matters::list))
        .routes(routes!(matters::show))
        .routes(routes!(changes::list))
        .routes(routes!(openapi::show))
        .split_for_parts();
    router
        .layer(Extension(openapi::Document::new(&document)))
        .layer(middleware::from_fn(tag_route))
        .method_not_allowed_fallback(async || Problem::method())
        .fallback(async || Problem::no_route())
        .with_state(api)
}
