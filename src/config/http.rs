//! The endpoint of a process.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{ROLES, settings},
};
use crate::http::{HttpSettings, Limits};
use secrecy::SecretString;
use std::net::SocketAddr;

settings! {
    /// Address and port of `/metrics`, `/livez`, `/readyz` and the API; port 0 takes a free one. A server takes
    /// `127.0.0.1:8080` when nothing is said. Workers of `docket dev` always take a free port.
    "http.addr" "DOCKET_HTTP" = "127.0.0.1:0", Kind::Address, ROLES;
    /// Bearer token of at least 16 bytes; a process refuses an address that a network can reach without one.
    "http.token" "DOCKET_HTTP_TOKEN", Kind::Secret, ROLES;
    /// Whether `/metrics` needs no token, for a scraper that can't send one.
    "http.metrics_open" "DOCKET_METRICS_OPEN" = "false", Kind::Bool, ROLES;
    /// Connections at once; more are refused. Higher: clients that hang hold more memory and files. Lower: scrapers and
    /// probes are refused beside busy clients.
    "http.connections" "DOCKET_HTTP_CONNECTIONS" = "256", Kind::Count(1, 100_000), ROLES;
    /// Largest body of a request. Higher: one client can take more memory. Lower: large requests are refused.
    "http.body" "DOCKET_HTTP_BODY" = "1MiB", Kind::Size(1 << 10, 1 << 30), ROLES;
}

/// Reads the endpoint's variables. `flag` is the address of the command line and wins; `default` is the role's own.
///
/// # Errors
/// When a value can't be used.
pub fn http(env: &Environment, flag: Option<SocketAddr>, default: SocketAddr) -> Result<HttpSettings, ConfigError> {
    let shape = "an address and port, such as 127.0.0.1:8080";
    let addr = match flag {
        Some(addr) => addr,
        None => env.parse("DOCKET_HTTP", default, shape)?,
    };
    let metrics_open = env.parse("DOCKET_METRICS_OPEN", false, "true or false")?;
    SETTINGS.iter().try_for_each(|setting| env.check(setting))?;
    let bounds = Limits::default();
    let limits = Limits {
        connections: env.number("DOCKET_HTTP_CONNECTIONS", bounds.connections)?,
        body_bytes: env.size("DOCKET_HTTP_BODY", bounds.body_bytes)?,
        ..bounds
    };
    Ok(HttpSettings { addr, token: env.secret("DOCKET_HTTP_TOKEN")?, metrics_open, limits })
}

/// The bearer token alone, for a command that asks an endpoint.
///
/// # Errors
/// When its file can't be used.
pub fn http_token(env: &Environment) -> Result<Option<SecretString>, ConfigError> {
    env.secret("DOCKET_HTTP_TOKEN")
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn the_flag_wins_over_the_variable_over_the_default() {
        let addr = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (one, two, three) = (addr("127.0.0.1:1"), addr("127.0.0.1:2"), addr("127.0.0.1:3"));
        let vars = env(&[("DOCKET_HTTP", "127.0.0.1:2")]);
        assert_eq!(http(&vars, Some(one), three).unwrap().addr, one);
        assert_eq!(http(&vars, None, three).unwrap().addr, two);
        assert_eq!(http(&env(&[]), None, three).unwrap().addr, three);
        assert!(http(&env(&[("DOCKET_HTTP", "localhost")]), None, three).is_err());
        assert!(http(&env(&[("DOCKET_METRICS_OPEN", "yes")]), None, three).is_err());
    }

    #[test]
    fn limits_are_bounded_and_sizes_have_units() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let vars = [("DOCKET_HTTP_BODY", "64KiB"), ("DOCKET_HTTP_CONNECTIONS", "9")];
        let limits = http(&env(&vars), None, any).unwrap().limits;
        assert_eq!((limits.body_bytes, limits.connections), (64 << 10, 9));
        for (name, bad) in [
            ("DOCKET_HTTP_BODY", "65536"),
            ("DOCKET_HTTP_BODY", "1B"),
            ("DOCKET_HTTP_BODY", "2GiB"),
            ("DOCKET_HTTP_CONNECTIONS", "0"),
            ("DOCKET_HTTP_CONNECTIONS", "-1"),
        ] {
            assert_eq!(http(&env(&[(name, bad)]), None, any).expect_err(bad).name, name);
        }
    }
}
