//! The endpoint of a process.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DOCKET_HTTP` | address and port; port 0 takes a free one | server `127.0.0.1:8080`, other roles `127.0.0.1:0` |
//! | `DOCKET_HTTP_TOKEN`, `DOCKET_HTTP_TOKEN_FILE` | an administrator's bearer token; a token is needed on addresses that a network can reach | |
//! | `DOCKET_HTTP_TOKENS_FILE` | TOML file of further tokens, each with name and role: see `docket token new` | |
//! | `DOCKET_HTTP_HOSTS` | without any token: names besides localhost under which it may be asked, separated by commas | |
//! | `DOCKET_HTTP_RATE`, `DOCKET_HTTP_BURST` | requests to the API of one token, a second and at once; 0: any number | `10000`, `20000` |
//! | `DOCKET_HTTP_BULK_RATE`, `DOCKET_HTTP_BULK_BURST` | jobs by bulk requests of one token, a second and at once; 0: any number | `100000`, `200000` |
//! | `DOCKET_METRICS_OPEN` | `true`: `/metrics` needs no token | `false` |

use super::{
    lookup::{ConfigError, Environment},
    tokens::tokens,
};
use crate::http::{BULK_JOBS_MAX, HttpSettings, Rates};
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
    let hosts = env.get("DOCKET_HTTP_HOSTS").unwrap_or_default().split(',').map(str::trim);
    Ok(HttpSettings {
        addr,
        token: env.secret("DOCKET_HTTP_TOKEN")?,
        tokens: env.get("DOCKET_HTTP_TOKENS_FILE").map(tokens).transpose()?.unwrap_or_default(),
        hosts: hosts.filter(|host| !host.is_empty()).map(str::to_owned).collect(),
        rates: rates(env)?,
        metrics_open,
        ..HttpSettings::default()
    })
}

fn rates(env: &Environment) -> Result<Rates, ConfigError> {
    let default = Rates::default();
    let rates = Rates {
        requests: env.number("DOCKET_HTTP_RATE", default.requests)?,
        requests_burst: env.number("DOCKET_HTTP_BURST", default.requests_burst)?,
        bulk_jobs: env.number("DOCKET_HTTP_BULK_RATE", default.bulk_jobs)?,
        bulk_jobs_burst: env.number("DOCKET_HTTP_BULK_BURST", default.bulk_jobs_burst)?,
    };
    let fits = |burst: u32| usize::try_from(burst).is_ok_and(|burst| burst >= BULK_JOBS_MAX);
    if rates.bulk_jobs > 0 && !fits(rates.bulk_jobs_burst) {
        let problem = format!("less than the {BULK_JOBS_MAX} jobs of one bulk request: it could never be taken");
        return Err(ConfigError::new("DOCKET_HTTP_BULK_BURST", problem));
    }
    if rates.requests > 0 && rates.requests_burst == 0 {
        return Err(ConfigError::new("DOCKET_HTTP_BURST", "0: no request could ever be taken"));
    }
    Ok(rates)
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
    fn rates_that_nothing_fits_into_are_refused() {
        let read = |vars: &[(&str, &str)]| http(&env(vars), None, "127.0.0.1:1".parse().unwrap());
        let vars = [("DOCKET_HTTP_RATE", "5"), ("DOCKET_HTTP_BULK_RATE", "0"), ("DOCKET_HTTP_BULK_BURST", "0")];
        let rates = read(&vars).unwrap().rates;
        assert_eq!((rates.requests, rates.bulk_jobs), (5, 0));
        for (name, value) in [("DOCKET_HTTP_BULK_BURST", "999"), ("DOCKET_HTTP_BURST", "0"), ("DOCKET_HTTP_RATE", "-1")]
        {
            assert_eq!(read(&[(name, value)]).expect_err(value).name, name);
        }
        let hosts = read(&[("DOCKET_HTTP_HOSTS", "a, b,")]).unwrap().hosts;
        assert_eq!(hosts, ["a", "b"]);
    }
}
