//! The endpoint of a process.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DOCKET_HTTP` | address and port; port 0 takes a free one | server `127.0.0.1:8080`, other roles `127.0.0.1:0` |
//! | `DOCKET_HTTP_TOKEN`, `DOCKET_HTTP_TOKEN_FILE` | bearer token; needed on addresses that a network can reach | |
//! | `DOCKET_METRICS_OPEN` | `true`: `/metrics` needs no token | `false` |

use super::lookup::{ConfigError, Environment};
use crate::http::HttpSettings;
use secrecy::SecretString;
use std::net::SocketAddr;

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
    Ok(HttpSettings { addr, token: env.secret("DOCKET_HTTP_TOKEN")?, metrics_open, ..HttpSettings::default() })
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
}
