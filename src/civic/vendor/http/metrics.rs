//! What is counted of each request.

use super::{FetchError, Response};
use crate::{civic::model::Vendor, telemetry::names};
use std::time::Duration;

/// Counts a request by a closed set of outcomes.
pub(super) fn record(vendor: Vendor, result: &Result<Response, FetchError>, took: Duration) {
    metrics::counter!(names::VENDOR_REQUESTS, "vendor" => vendor.as_str(), "status" => outcome(result)).increment(1);
    metrics::histogram!(names::VENDOR_DURATION, "vendor" => vendor.as_str()).record(took.as_secs_f64());
}

const fn outcome(result: &Result<Response, FetchError>) -> &'static str {
    match result {
        Ok(response) => status(response.status),
        Err(FetchError::Status { status: code, .. }) => status(*code),
        Err(FetchError::Timeout { .. }) => "timeout",
        Err(FetchError::Connect { .. }) => "connect",
        Err(FetchError::TooLarge { .. }) => "too_large",
        Err(FetchError::RefusedAddress { .. }) => "refused_address",
        Err(FetchError::TooManyRedirects { .. }) => "redirects",
        Err(FetchError::BadUrl { .. } | FetchError::Setup(_)) => "bad_url",
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
