//! What is told of each request: counters, a duration, a span.

use super::{Answer, FetchError};
use crate::{
    civic::model::Vendor,
    telemetry::{Attribute, OpenSpan, SpanKind, names},
};
use std::time::Duration;

/// Tells of a request by a closed set of outcomes.
pub(super) fn ended(vendor: Vendor, result: &Result<Answer, FetchError>, took: Duration, span: OpenSpan) {
    let (vendor, outcome) = (vendor.as_str(), outcome(result));
    let is_good = result.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status));
    metrics::counter!(names::VENDOR_REQUESTS, "vendor" => vendor, "status" => outcome).increment(1);
    metrics::histogram!(names::VENDOR_DURATION, "vendor" => vendor).record(took.as_secs_f64());
    let attributes = [("http.request.method", Attribute::Text("GET")), ("docket.vendor", Attribute::Text(vendor))];
    span.end((SpanKind::Client, "GET"), took, &attributes, (!is_good).then_some(outcome));
}

const fn outcome(result: &Result<Answer, FetchError>) -> &'static str {
    match result {
        Ok(answer) => status(answer.status),
        Err(FetchError::Status { status: code, .. }) => status(*code),
        Err(FetchError::Timeout { .. }) => "timeout",
        Err(FetchError::Connect { .. }) => "connect",
        Err(FetchError::TooLarge { .. }) => "too_large",
        Err(FetchError::RefusedAddress { .. }) => "refused_address",
        Err(FetchError::TooManyRedirects { .. }) => "redirects",
        Err(_) => "bad_url",
    }
}

const fn status(code: u16) -> &'static str {
    match code {
        200 => "200",
        403 => "403",
        404 => "404",
        429 => "429",
        503 => "503",
        201..=299 => "2xx",
        300..=399 => "3xx",
        code if code / 100 == 4 => "4xx",
        code if code / 100 == 5 => "5xx",
        _ => "other",
    }
}
