//! Errors as clients see them: `{"error":{"code","message","hint"}}`, and what some codes add to it.

use super::Role;
use crate::telemetry::current_trace;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{
    StatusCode,
    header::{ALLOW, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// What went wrong, and what the client can do. Never a detail of the inside: that goes to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: &'static str,
    /// Boxed: errors travel through many results.
    extra: Box<Extra>,
}

/// What only some problems have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Extra {
    header: Option<(HeaderName, HeaderValue)>,
    fields: Map<String, Value>,
}

/// The code of the problem that a response is, for the metrics.
#[derive(Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

#[derive(Serialize)]
struct Envelope<'a> {
    error: Content<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    code: &'a str,
    message: &'a str,
    hint: &'a str,
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self { status, code, message: message.into(), hint, extra: Box::default() }
    }

    fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.extra.header = Some((name, HeaderValue::from_static(value)));
        self
    }

    /// Adds a field to the error.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.extra.fields.insert(field.to_owned(), value.into());
        self
    }

    /// 400: a parameter or a body that can't be read.
    #[must_use]
    pub fn bad_request(message: impl Into<String>, hint: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message, hint)
    }

    /// 401.
    pub(super) fn unauthorized() -> Self {
        let hint = "send the header Authorization: Bearer <token>";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "a valid token is needed", hint);
        problem.header(WWW_AUTHENTICATE, "Bearer")
    }

    /// 403: the token's role is too small.
    pub(super) fn forbidden(name: &str, has: Role, needs: Role, what: &str) -> Self {
        let message = format!("{what} needs the role {needs}, the token {name} has {has}");
        let hint = "use another token; docket token new makes one";
        Self::new(StatusCode::FORBIDDEN, "forbidden", message, hint).with("needs", needs.as_str())
    }

    /// 403: a page of another site, in a browser of this machine.
    pub(super) fn cross_site() -> Self {
        let hint = "ask from a program, or set a token";
        Self::new(StatusCode::FORBIDDEN, "cross_site", "a page of another site may not change anything here", hint)
    }

    /// 403: a name that may have been made to mean this machine.
    pub(super) fn wrong_host() -> Self {
        let message = "without a token this is only answered under a name of this machine";
        let hint = "ask under localhost or 127.0.0.1, set a token, or add the name to DOCKET_HTTP_HOSTS";
        Self::new(StatusCode::FORBIDDEN, "wrong_host", message, hint)
    }

    /// 404 for a path that no route has.
    pub(super) fn no_route() -> Self {
        let hint = "see /api/openapi.json, /metrics, /livez, /readyz";
        Self::new(StatusCode::NOT_FOUND, "no_route", "there is nothing at this path", hint)
    }

    /// 404 for a row that is not there.
    #[must_use]
    pub fn not_found(message: impl Into<String>, hint: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message, hint)
    }

    /// 405. The router adds what the path takes, where it knows.
    pub(super) fn method() -> Self {
        let message = "this path does not take this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message, "see the header Allow")
    }

    /// 405 for a path that is read only.
    pub(super) fn read_only() -> Self {
        Self::not_allowed("GET, HEAD")
    }

    /// 405 for a path that takes these methods.
    pub(super) fn not_allowed(methods: &'static str) -> Self {
        Self::method().header(ALLOW, methods)
    }

    /// 409: a row with this idempotency key is there.
    #[must_use]
    pub fn exists(message: impl Into<String>) -> Self {
        let hint = "nothing was enqueued; the job with this key is told here";
        Self::new(StatusCode::CONFLICT, "exists", message, hint)
    }

    /// 409: not in this state.
    #[must_use]
    pub fn conflict(message: impl Into<String>, hint: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message, hint)
    }

    /// 413. The rest of the body is not read, so the connection ends.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the body may have {limit} bytes at most");
        let problem = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "send less at once");
        problem.header(CONNECTION, "close")
    }

    /// 415. The body is not read, so the connection ends.
    pub(super) fn not_json() -> Self {
        let message = "a body must be JSON, and say so";
        let hint = "send the header Content-Type: application/json";
        let problem = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message, hint);
        problem.header(CONNECTION, "close")
    }

    /// 429: too much, of one token.
    pub(super) fn rate_limited(what: &str, wait: Duration) -> Self {
        let message = format!("too many {what} by this token");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message, "wait as Retry-After says");
        problem.retry_after(wait)
    }

    /// 429: too much waits already.
    #[must_use]
    pub fn too_many_pending(message: impl Into<String>) -> Self {
        let hint = "wait until workers have done some; an operator can raise DOCKET_MAX_PENDING";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_pending", message, hint);
        problem.retry_after(Duration::from_secs(5))
    }

    /// 500. The log says more.
    pub(super) fn internal() -> Self {
        let hint = "look for http.failed in the log of this process";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "this should not have happened", hint)
    }

    /// 503, worth trying again.
    #[must_use]
    pub fn unavailable(message: impl Into<String>, hint: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message, hint).header(RETRY_AFTER, "2")
    }

    /// 503: it was done, or it was not.
    #[must_use]
    pub fn unknown() -> Self {
        let message = "unknown: the database did not say whether it was written";
        let hint = "repeat with the same idempotency key: it is enqueued once";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unknown", message, hint).header(RETRY_AFTER, "2")
    }

    fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.extra.header = Some((RETRY_AFTER, HeaderValue::from(seconds.max(1))));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let problem = match current_trace() {
            Some(trace) => self.with("trace_id", trace.trace_id().simple().to_string()),
            None => self,
        };
        let Self { status, code, message, hint, extra } = problem;
        let content = Content { code, message: &message, hint, fields: &extra.fields };
        let mut response = (status, axum::Json(Envelope { error: content })).into_response();
        if let Some((name, value)) = extra.header {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Code(code));
        response
    }
}
