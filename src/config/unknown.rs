//! Variables that look like Docket's and are not.

use super::{
    catalogue::{by_variable, catalogue, suggestion},
    lookup::ConfigError,
};

/// Names the file.
pub(super) const CONFIG: &str = "DOCKET_CONFIG";

/// Names that begin like Docket's and mean nothing to it. `vars` are names and values.
pub(super) fn unknown<'a>(vars: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<ConfigError> {
    let foreign = |name: &str, value: &str| {
        name.starts_with("DOCKET_")
            && name != CONFIG
            && by_variable(name).is_none()
            && !name.starts_with("DOCKET_TEST_")
            && !is_crash_point(name)
            && !is_service_link(name, value)
    };
    vars.filter(|(name, value)| foreign(name, value)).map(|(name, _)| tell(name)).collect()
}

/// Builds for fault tests die where these say; all others refuse them like any name that means nothing.
fn is_crash_point(name: &str) -> bool {
    cfg!(feature = "crash-points") && crate::fleet::crash::VARIABLES.contains(&name)
}

/// The value is not shown: it may be a secret under a misspelled name.
fn tell(name: &str) -> ConfigError {
    let known = catalogue().map(|setting| setting.variable.to_owned()).chain(catalogue().map(|s| s.file_variable()));
    let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    ConfigError::new(shown, format!("no such variable{}", suggestion(name, known)))
}

/// Kubernetes sets variables for every service of a namespace: one called `docket-server` becomes
/// `DOCKET_SERVER_SERVICE_HOST`, `DOCKET_SERVER_PORT=tcp://10.0.0.1:8080`, `DOCKET_SERVER_PORT_8080_TCP_ADDR` and so on.
fn is_service_link(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
    let is_url = PROTOCOLS.iter().any(|protocol| value.starts_with(&format!("{}://", protocol.to_lowercase())));
    let of_a_port = name.rmatch_indices("_PORT_").any(|(at, mark)| {
        let mut parts = name[at + mark.len()..].splitn(3, '_');
        let is_port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
        is_port && parts.next().is_some_and(|protocol| PROTOCOLS.contains(&protocol))
    });
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_url)
        || of_a_port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(vars: &[(&str, &str)]) -> Vec<String> {
        unknown(vars.iter().copied()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_misspelled_variable_is_named_with_the_one_that_was_meant() {
        let cases = [
            ("DOCKET_LEESE", "did you mean DOCKET_LEASE?"),
            ("DOCKET_LOG_FROMAT", "did you mean DOCKET_LOG_FORMAT?"),
            ("DOCKET_HTTP_TOKEN_FIEL", "did you mean DOCKET_HTTP_TOKEN_FILE?"),
            ("DOCKET_LEASE_FILE", "did you mean"),
            ("DOCKET_HTTP_PORT", "no such variable"),
            ("DOCKET_XYZZY_QUUX", "no such variable"),
            ("DOCKET_", "no such variable"),
        ];
        for (name, words) in cases {
            let found = told(&[(name, "hunter2")]);
            assert!(found.len() == 1 && found[0].contains(words) && !found[0].contains("hunter2"), "{found:?}");
        }
    }

    #[test]
    fn what_others_set_is_left_alone() {
        let foreign = [
            ("DOCKET_SERVICE_HOST", "10.0.0.1"),
            ("DOCKET_SERVICE_PORT", "8080"),
            ("DOCKET_SERVER_SERVICE_HOST", "10.0.0.1"),
            ("DOCKET_SERVER_SERVICE_PORT", "8080"),
            ("DOCKET_SERVER_SERVICE_PORT_HTTP", "8080"),
            ("DOCKET_PORT", "tcp://10.0.0.1:8080"),
            ("DOCKET_SERVER_PORT", "udp://10.0.0.1:8080"),
            ("DOCKET_SERVER_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("DOCKET_SERVER_PORT_8080_TCP_PROTO", "tcp"),
            ("DOCKET_SERVER_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("DOCKET_TEST_DATABASE_URL", "postgres://"),
            ("DOCKET_CONFIG", "none"),
            ("DOCKET_HTTP_TOKEN_FILE", "/x"),
            ("DOCKETS", "1"),
            ("PATH", "/bin"),
        ];
        assert_eq!(told(&foreign), Vec::<String>::new());
    }

    #[test]
    fn no_setting_looks_like_a_service_link() {
        for setting in catalogue() {
            assert!(!is_service_link(setting.variable, "tcp://10.0.0.1:1"), "{}", setting.variable);
        }
    }
}
