//! Bodies: read within their limit, and as JSON.

use crate::{http::Problem, telemetry::causes};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::DeserializeOwned;

/// How many bytes the body of this request may have. The loop enforces it, this tells it.
#[derive(Clone, Copy)]
pub(in crate::http) struct BodyLimit(pub(in crate::http) usize);

/// The hint of everything that can't be read.
pub(super) const HINT: &str = "see /api/openapi.json for what this path takes";

/// A body in JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let bytes = read(request).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|e| unreadable(&e))
    }
}

/// The bytes of a body.
pub(super) async fn read(request: Request) -> Result<Bytes, Problem> {
    let limit = request.extensions().get::<BodyLimit>().map_or(0, |limit| limit.0);
    match request.into_body().collect().await {
        Ok(body) => few_objects(body.to_bytes()),
        Err(error) if is_too_long(&error) => Err(Problem::too_large(limit)),
        Err(_) => Err(Problem::bad_request("the body ended early", "send all of it")),
    }
}

/// Objects of a body. `{"":0},` takes 7 bytes on the wire and 600 in memory: without a limit 8 MiB would become 700.
const OBJECTS_MAX: usize = 100_000;

/// Braces in texts count as well; no honest body comes near.
fn few_objects(body: Bytes) -> Result<Bytes, Problem> {
    if body.iter().filter(|byte| **byte == b'{').count() <= OBJECTS_MAX {
        return Ok(body);
    }
    Err(Problem::bad_request(format!("the body has more than {OBJECTS_MAX} objects"), "send fewer jobs at once"))
}

fn is_too_long(error: &axum::Error) -> bool {
    causes(error).any(|cause| cause.is::<LengthLimitError>())
}

/// What is wrong, and where. It may quote the body: cut, and only to who sent it.
pub(super) fn unreadable(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let text = match text.rsplit_once(" at line ") {
        Some((what, place)) => format!("{} at line {place}", cut(what)),
        None => cut(&text),
    };
    Problem::bad_request(format!("the body can't be read: {text}"), HINT)
}

pub(super) fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}
