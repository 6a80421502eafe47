//! The endpoints that every process has: `/metrics`, `/livez`, `/readyz`.

use super::{
    Problem,
    health::{CheckStatus, Health, Report},
    observe::Route,
};
use crate::telemetry::Metrics;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{
    Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer, if the path is one of ours.
pub(super) fn answer(method: &Method, path: &str, metrics: &Metrics, health: &Health) -> Option<Response<Body>> {
    let (route, make): (_, fn(&Metrics, &Health) -> Response<Body>) = match path {
        "/metrics" => ("/metrics", |metrics, _| ([(CONTENT_TYPE, PROMETHEUS)], metrics.render()).into_response()),
        "/livez" => ("/livez", |_, health| probe(&health.liveness())),
        "/readyz" => ("/readyz", |_, health| probe(&health.readiness())),
        _ => return None,
    };
    let allowed = matches!(*method, Method::GET | Method::HEAD);
    let mut response = if allowed { make(metrics, health) } else { Problem::read_only().into_response() };
    response.extensions_mut().insert(Route::fixed(route));
    Some(response)
}

fn probe(report: &Report) -> Response<Body> {
    let status = if report.status == CheckStatus::Failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, [(CACHE_CONTROL, "no-store")], axum::Json(report)).into_response()
}
