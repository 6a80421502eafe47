//! `/api/openapi.json`: the document of all routes, made from the handlers themselves.

use crate::telemetry::{FAMILIES, Values, names::API_REJECTIONS};
use axum::{
    Extension,
    body::Bytes,
    response::{IntoResponse, Response},
};
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// The document, written out once.
#[derive(Clone)]
pub(super) struct Document(Bytes);

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "api",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn show(Extension(Document(text)): Extension<Document>) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// What any path may answer besides its own.
const ERRORS: &[(&str, &str)] = &[
    ("400", "`bad_request`: a parameter or the body can't be used; nothing was done"),
    ("401", "`unauthorized`: no token, or one that nobody has"),
    ("403", "`forbidden`: the token's role is too small. Without tokens: `wrong_host`, `cross_site`"),
    ("413", "`too_large`: the body"),
    ("415", "`unsupported_media_type`: a body that doesn't say that it is JSON"),
    ("429", "`rate_limited`, `too_many_pending`: wait as Retry-After says"),
    ("500", "`internal`: the log says more"),
    (
        "503",
        "`unavailable`: nothing was done, try again. `unknown`: it may have been; repeat with the same idempotency key",
    ),
];
/// Those that only a body can cause.
const OF_BODIES: [&str; 2] = ["413", "415"];

impl Document {
    /// Adds to what the handlers say of themselves: title, tokens, and the errors that all share.
    pub(super) fn new(openapi: &OpenApi) -> Self {
        let mut document = serde_json::to_value(openapi).expect("it is made of maps, lists and texts");
        document["info"] = json!({
            "title": "Docket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Jobs in, operators' acts, and what is going on. See docs/API.md.",
        });
        document["security"] = json!([{"token": []}]);
        let scheme = json!({"type": "http", "scheme": "bearer", "description": "See docket token new"});
        document["components"]["securitySchemes"] = json!({"token": scheme});
        document["components"]["schemas"]["Error"] = error();
        for (method, operation) in operations(&mut document) {
            let errors = ERRORS.iter().filter(|(status, _)| method != "get" || !OF_BODIES.contains(status));
            for (status, description) in errors {
                operation["responses"][status] = json!({"description": description});
            }
            shape_errors(operation);
        }
        Self(Bytes::from(document.to_string()))
    }
}

/// Every operation of the document, with its method.
fn operations(document: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.filter_map(|(_, item)| item.as_object_mut()).flatten()
}

fn shape_errors(operation: &mut Value) {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}});
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.starts_with(['4', '5']) {
            response["content"] = content.clone();
        }
    }
}

fn error() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {"code": {"type": "string", "enum": codes()}, "message": text, "hint": text},
            "additionalProperties": true,
        }},
    })
}

/// All codes of errors, as the metrics know them.
fn codes() -> &'static [&'static str] {
    let family = FAMILIES.iter().find(|family| family.name == API_REJECTIONS);
    match family.and_then(|family| family.labels.first()).map(|label| label.values) {
        Some(Values::Closed(codes)) => codes,
        _ => &[],
    }
}
