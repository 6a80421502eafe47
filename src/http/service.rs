//! One request: access, limits, routing, and its metrics.

use super::{Limits, Problem, Routes, access::Access, observe, ops};
use axum::{body::Body, response::IntoResponse};
use http_body_util::Limited;
use hyper::{Request, Response, body::Body as _, body::Incoming, header::X_CONTENT_TYPE_OPTIONS};
use std::convert::Infallible;
use tokio::time::Instant;
use tower::ServiceExt;

/// What all connections share.
#[derive(Clone)]
pub(super) struct Shared {
    pub access: Access,
    pub routes: Routes,
    pub limits: Limits,
}

/// Answers, whatever happens.
pub(super) async fn handle(shared: Shared, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let started = Instant::now();
    let method = request.method().clone();
    let answer = tokio::time::timeout(shared.limits.request, route(&shared, request)).await;
    let mut response = answer.unwrap_or_else(|_| {
        let message = format!("no answer within {} s", shared.limits.request.as_secs());
        Problem::unavailable(message, "ask for less, or later").into_response()
    });
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, hyper::header::HeaderValue::from_static("nosniff"));
    observe::answered(&method, &response, started.elapsed());
    Ok(response)
}

async fn route(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    if let Err(problem) = shared.access.check(path, request.headers()) {
        return problem.into_response();
    }
    let limit = shared.limits.body_bytes;
    if usize::try_from(request.body().size_hint().lower()).map_or(true, |bytes| bytes > limit) {
        return Problem::too_large(limit).into_response();
    }
    if let Some(response) = ops::answer(request.method(), path, &shared.routes.metrics, &shared.routes.health) {
        return response;
    }
    let Some(api) = shared.routes.api.clone() else { return Problem::no_route().into_response() };
    // A body of unknown length is cut where it exceeds the limit.
    let request = request.map(|body| Body::new(Limited::new(body, limit)));
    match api.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
