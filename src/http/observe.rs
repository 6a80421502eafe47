//! What is told of each answer: counters, a duration, a span. The route is a template, never a path: a client must not make labels.

use super::problem::Code;
use crate::{
    fleet::handler::{Component, ErrorClass},
    telemetry::{
        Attribute, OpenSpan, Span, SpanKind,
        names::{API_DURATION, API_REJECTIONS, API_REQUESTS, HTTP_REFUSED},
    },
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use hyper::{Method, StatusCode};
use metrics::{counter, histogram};
use std::time::Duration;

/// The label of requests that no route took.
const UNMATCHED: &str = "unmatched";

/// The template of the route that answered.
#[derive(Clone)]
pub(super) struct Route(String);

impl Route {
    pub(super) fn fixed(template: &'static str) -> Self {
        Self(template.to_owned())
    }
}

/// A middleware for routes: it tells the loop which of them answered, so that the metrics can name it.
pub async fn tag(matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(path) = matched {
        response.extensions_mut().insert(Route(path.as_str().to_owned()));
    }
    response
}

/// Tells of an answer.
pub(super) fn answered(method: &Method, response: &Response<Body>, took: Duration, span: OpenSpan) {
    let method = label(method);
    let route = response.extensions().get::<Route>().map_or_else(|| UNMATCHED.to_owned(), |route| route.0.clone());
    let status = response.status().as_u16().to_string();
    // A process that is not ready says so to each probe: that is its answer, and no error.
    if response.status().is_server_error() && !matches!(&route[..], "/livez" | "/readyz") {
        Component::Http.failed(ErrorClass::Other);
    }
    if let Some(Code(reason)) = response.extensions().get::<Code>() {
        counter!(API_REJECTIONS, "reason" => *reason).increment(1);
    }
    tell(span, (method, &route), response.status(), took);
    counter!(API_REQUESTS, "method" => method, "route" => route.clone(), "status" => status).increment(1);
    histogram!(API_DURATION, "method" => method, "route" => route).record(took.as_secs_f64());
}

/// Probes and scrapes are nobody's work.
fn tell(span: OpenSpan, (method, route): (&str, &str), status: StatusCode, took: Duration) {
    if !route.starts_with("/api/") || !span.trace().is_some_and(Span::is_told) {
        return;
    }
    let attributes = [
        ("http.request.method", Attribute::Text(method)),
        ("http.route", Attribute::Text(route)),
        ("http.response.status_code", Attribute::Number(status.as_u16().into())),
    ];
    let error = status.is_server_error().then(|| status.as_str().to_owned());
    span.end((SpanKind::Server, &format!("{method} {route}")), took, &attributes, error.as_deref());
}

/// Counts a connection that was refused.
pub(super) fn refused() {
    counter!(HTTP_REFUSED, "reason" => "too_many_connections").increment(1);
}

/// Counts a connection that made room for another one.
pub(super) fn displaced() {
    counter!(HTTP_REFUSED, "reason" => "displaced").increment(1);
}

/// Clients may invent methods; labels may not.
fn label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
