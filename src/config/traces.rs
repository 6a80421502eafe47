//! Where spans go.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{ROLES, settings},
};
use crate::telemetry::SpanSettings;

settings! {
    /// Base address of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`: spans of requests, attempts and
    /// calls go to `/v1/traces` below it. Only in a build with the feature `otel`; headers, compression and timeout are those of
    /// OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_HEADERS` and so on). Not set: no spans.
    "traces.endpoint" "OTEL_EXPORTER_OTLP_ENDPOINT", Kind::Url, ROLES;
    /// One of so many traces is exported, the same ones by all processes. Higher: fewer examples. Lower: a busy fleet records
    /// more than the exporter's queue takes, and drops the rest.
    "traces.one_in" "DOCKET_TRACES_ONE_IN" = "1", Kind::Count(1, 1_000_000), ROLES;
}

/// Reads where the spans of a process of this role go; none: nowhere.
///
/// # Errors
/// When a value can't be used.
pub fn traces(env: &Environment, role: &'static str) -> Result<Option<SpanSettings>, ConfigError> {
    SETTINGS.iter().try_for_each(|setting| env.check(setting))?;
    let one_in = env.number("DOCKET_TRACES_ONE_IN", 1)?;
    let endpoint = env.get("OTEL_EXPORTER_OTLP_ENDPOINT").map(str::to_owned);
    Ok(endpoint.map(|endpoint| SpanSettings { endpoint, one_in, role }))
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn no_address_means_no_spans_and_a_bad_one_is_named() {
        const URL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let read = |vars: &[(&str, &str)]| traces(&env(vars), "worker");
        assert!(read(&[("DOCKET_TRACES_ONE_IN", "9")]).unwrap().is_none());
        let settings = read(&[(URL, "http://127.0.0.1:4318"), ("DOCKET_TRACES_ONE_IN", "9")]).unwrap().unwrap();
        assert_eq!((&settings.endpoint[..], settings.one_in, settings.role), ("http://127.0.0.1:4318", 9, "worker"));
        assert_eq!(read(&[(URL, "127.0.0.1:4317")]).unwrap_err().name, URL);
        assert_eq!(read(&[("DOCKET_TRACES_ONE_IN", "0")]).unwrap_err().name, "DOCKET_TRACES_ONE_IN");
    }
}
