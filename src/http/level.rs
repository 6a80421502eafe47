//! `/api/log-level`, which every process has: what it logs by, and a change of that for a limited time.

use super::{Caller, Problem, Role, observe::Route};
use crate::telemetry::{LEVEL_FOR_MAX, level, set_level};
use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, body::Incoming};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// Where it is.
pub(super) const LEVEL_PATH: &str = "/api/log-level";
const HINT: &str = r#"send {"filter": "docket::fleet=debug", "seconds": 600}"#;

/// Longest filter: it goes into a line of the log.
const FILTER_MAX: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    filter: String,
    seconds: u64,
}

/// GET tells; PUT changes, on behalf of an administrator.
pub(super) async fn answer(caller: Option<Caller>, request: Request<Incoming>, limit: usize) -> Response<Body> {
    let answered = match *request.method() {
        Method::GET | Method::HEAD => Ok(()),
        Method::PUT => change(caller, request, limit).await,
        _ => Err(Problem::not_allowed("GET, HEAD, PUT")),
    };
    let mut response = match answered {
        Ok(()) => Json(json!({ "filter": level().unwrap_or_default() })).into_response(),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(Route::fixed(LEVEL_PATH));
    response
}

async fn change(caller: Option<Caller>, request: Request<Incoming>, limit: usize) -> Result<(), Problem> {
    let caller = caller.ok_or_else(Problem::unauthorized)?;
    caller.needs(Role::Admin, "changing the level of the log")?;
    let body = Limited::new(request.into_body(), limit).collect().await;
    let body = body.map_err(|e| Problem::bad_request(format!("the body can't be read: {e}"), HINT))?;
    let wish: Wish = serde_json::from_slice(&body.to_bytes())
        .map_err(|e| Problem::bad_request(format!("the body is no change of the level: {e}"), HINT))?;
    let time = Duration::from_secs(wish.seconds);
    if time.is_zero() || time > LEVEL_FOR_MAX {
        let message = format!("seconds must be 1 to {}", LEVEL_FOR_MAX.as_secs());
        return Err(Problem::bad_request(message, HINT));
    }
    if wish.filter.len() > FILTER_MAX {
        return Err(Problem::bad_request(format!("a filter has at most {FILTER_MAX} bytes"), HINT));
    }
    set_level(&wish.filter, time, &caller.actor()).map_err(|e| Problem::bad_request(e.to_string(), HINT))
}
