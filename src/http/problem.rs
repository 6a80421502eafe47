//! Errors as clients see them: `{"error":{"code","message","hint"}}`.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{
    StatusCode,
    header::{ALLOW, CONNECTION, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;

/// What went wrong, and what the client can do. Never a detail of the inside: that goes to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: &'static str,
    header: Option<(HeaderName, &'static str)>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Content<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    code: &'a str,
    message: &'a str,
    hint: &'a str,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self { status, code, message: message.into(), hint, header: None }
    }

    /// 400: a parameter that can't be read.
    #[must_use]
    pub fn bad_request(message: impl Into<String>, hint: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message, hint)
    }

    /// 401.
    pub(super) fn unauthorized() -> Self {
        let hint = "send the header Authorization: Bearer <token>";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "a valid token is needed", hint);
        Self { header: Some((WWW_AUTHENTICATE, "Bearer")), ..problem }
    }

    /// 404 for a path that no route has.
    pub(super) fn no_route() -> Self {
        let hint = "see /api/queue-stats, /api/jobs, /api/dead-letters, /metrics, /livez, /readyz";
        Self::new(StatusCode::NOT_FOUND, "no_route", "there is nothing at this path", hint)
    }

    /// 404 for a row that is not there.
    #[must_use]
    pub fn not_found(message: impl Into<String>, hint: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message, hint)
    }

    /// 405.
    pub(super) fn method() -> Self {
        let hint = "use GET";
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path is read only", hint);
        Self { header: Some((ALLOW, "GET, HEAD")), ..problem }
    }

    /// 413. The rest of the body is not read, so the connection ends.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the body may have {limit} bytes at most");
        let problem = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "send less at once");
        Self { header: Some((CONNECTION, "close")), ..problem }
    }

    /// 500. The log says more.
    pub(super) fn internal() -> Self {
        let hint = "look for http.failed in the log of this process";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "this should not have happened", hint)
    }

    /// 503, worth trying again.
    #[must_use]
    pub fn unavailable(message: impl Into<String>, hint: &'static str) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message, hint);
        Self { header: Some((RETRY_AFTER, "2")), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let content = Content { code: self.code, message: &self.message, hint: self.hint };
        let mut response = (self.status, axum::Json(Envelope { error: content })).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
        }
        response
    }
}
