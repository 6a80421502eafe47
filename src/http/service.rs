//! One request: access, limits, routing, and its metrics.

use super::{
    Limits, Problem, Routes,
    access::Access,
    api::{BULK_PATH, BodyLimit},
    level::{self, LEVEL_PATH},
    observe, ops,
};
use crate::telemetry::{OpenSpan, TraceParent};
use axum::{body::Body, response::IntoResponse};
use http_body_util::Limited;
use hyper::{
    HeaderMap, Method, Request, Response,
    body::{Body as _, Incoming},
    header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use std::convert::Infallible;
use tokio::time::Instant;
use tower::ServiceExt;
use tracing::Instrument;

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
    let told = trace(request.headers()).map_or_else(OpenSpan::root, |trace| OpenSpan::of(Some(trace)));
    let span = tracing::info_span!("request", trace_id = told.trace().map(|trace| display(trace.trace_id().simple())));
    let answer = async {
        let answer = tokio::time::timeout(shared.limits.request, route(&shared, request)).await;
        answer.unwrap_or_else(|_| {
            let message = format!("no answer within {} s", shared.limits.request.as_secs());
            Problem::unavailable(message, "ask for less, or later").into_response()
        })
    };
    let mut response = told.run(answer).instrument(span).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, hyper::header::HeaderValue::from_static("nosniff"));
    observe::answered(&method, &response, started.elapsed(), told);
    Ok(response)
}

/// The caller's trace.
fn trace(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}

async fn route(shared: &Shared, mut request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    let caller = match shared.access.check(request.method(), path, request.headers()) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let limit = if path == BULK_PATH { shared.limits.bulk_body_bytes } else { shared.limits.body_bytes };
    if usize::try_from(request.body().size_hint().lower()).map_or(true, |bytes| bytes > limit) {
        return Problem::too_large(limit).into_response();
    }
    if let Some(response) = ops::answer(request.method(), path, &shared.routes.metrics, &shared.routes.health) {
        return response;
    }
    if path.starts_with("/api/") && !is_json(&request) {
        return Problem::not_json().into_response();
    }
    if path == LEVEL_PATH {
        return level::answer(caller, request, limit).await;
    }
    let Some(api) = shared.routes.api.clone() else { return Problem::no_route().into_response() };
    request.extensions_mut().insert(BodyLimit(limit));
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    // A body of unknown length is cut where it exceeds the limit.
    let request = request.map(|body| Body::new(Limited::new(body, limit)));
    match api.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Whether a body, if there is one, says that it is JSON. A form can't, nor can a page of another site without asking.
fn is_json(request: &Request<Incoming>) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD) || request.body().is_end_stream() {
        return true;
    }
    let kind = request.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let kind = kind.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json")
}
