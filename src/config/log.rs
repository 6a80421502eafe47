//! How a process logs. [`LogSettings`](crate::telemetry::LogSettings) reads these itself, because it lies below.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{ALL, settings},
};
use crate::telemetry::{LogOutput, LogSettings};

settings! {
    /// Levels by module, such as `debug` or `info,docket::fleet=debug`; libraries say only warnings unless they are named.
    "log.filter" "DOCKET_LOG" = "info", Kind::Text, ALL;
    /// The shape of a line: `auto` is `console` on a terminal and `json` otherwise.
    "log.format" "DOCKET_LOG_FORMAT" = "auto", Kind::OneOf(&["auto", "console", "json"]), ALL;
    /// Lines of completed attempts a second; what is above is left out and counted. Higher: more to store. Lower: fewer
    /// examples.
    "log.successes" "DOCKET_LOG_SUCCESSES" = "100", Kind::Count(0, 1_000_000), ALL;
}

/// Reads how to log, and `NO_COLOR`.
///
/// # Errors
/// When a value can't be used.
pub fn log(env: &Environment, output: LogOutput) -> Result<LogSettings, ConfigError> {
    SETTINGS.iter().try_for_each(|setting| env.check(setting))?;
    // What can be wrong with a format or a number was found above.
    LogSettings::from_lookup(output, |name| env.get(name).map(str::to_owned))
        .map_err(|e| ConfigError::new("DOCKET_LOG", e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn a_bad_value_is_named() {
        for (name, bad) in [("DOCKET_LOG_FORMAT", "xml"), ("DOCKET_LOG_SUCCESSES", "-1"), ("DOCKET_LOG", "a\u{7}")] {
            assert_eq!(log(&env(&[(name, bad)]), LogOutput::Stderr).expect_err(bad).name, name);
        }
        assert_eq!(log(&env(&[("DOCKET_LOG", "debug")]), LogOutput::Stderr).unwrap().filter, "debug");
    }
}
