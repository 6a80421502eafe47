//! The endpoint of a process.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{ROLES, SERVER, settings},
    tokens::tokens,
};
use crate::http::{BULK_JOBS_MAX, HttpSettings, Limits, Rates};
use secrecy::SecretString;
use std::{net::SocketAddr, path::PathBuf};

settings! {
    /// Address and port of `/metrics`, `/livez`, `/readyz` and the API; port 0 takes a free one. A server takes
    /// `127.0.0.1:8080` when nothing is said. Workers of `docket dev` always take a free port.
    "http.addr" "DOCKET_HTTP" = "127.0.0.1:0", Kind::Address, ROLES;
    /// An administrator's bearer token, of at least 16 bytes; a process refuses an address that a network can reach without
    /// any token.
    "http.token" "DOCKET_HTTP_TOKEN", Kind::Secret, ROLES;
    /// TOML file of further tokens, each with a name, a role and a hash: `docket token new` prints an entry. Others on the
    /// machine may neither read nor write it.
    "http.tokens_file" "DOCKET_HTTP_TOKENS_FILE", Kind::Path, ROLES;
    /// Where no token is set: names besides `localhost` under which the API may be asked, separated by commas. Any other
    /// name in a request may be a stranger's page that reaches this machine through its visitor.
    "http.hosts" "DOCKET_HTTP_HOSTS", Kind::List, ROLES;
    /// Requests to the API of one token a second; 0: any number. Higher: one client can keep the database busy. Lower: it
    /// is told to wait (429).
    "http.rate" "DOCKET_HTTP_RATE" = "10000", Kind::Count(0, 10_000_000), SERVER;
    /// Requests of one token at once, before `http.rate` counts.
    "http.burst" "DOCKET_HTTP_BURST" = "20000", Kind::Count(0, 10_000_000), SERVER;
    /// Jobs in bulk requests of one token a second; 0: any number.
    "http.bulk_rate" "DOCKET_HTTP_BULK_RATE" = "100000", Kind::Count(0, 100_000_000), SERVER;
    /// Jobs in bulk requests of one token at once, before `http.bulk_rate` counts: at least those of one request, 1,000.
    "http.bulk_burst" "DOCKET_HTTP_BULK_BURST" = "200000", Kind::Count(0, 100_000_000), SERVER;
    /// Whether `/metrics` needs no token, for a scraper that can't send one.
    "http.metrics_open" "DOCKET_METRICS_OPEN" = "false", Kind::Bool, ROLES;
    /// Directory where the process says, in a file of its own, where it listens: a Prometheus on the same host then finds any
    /// number of them, see infra/prometheus/prometheus.yml. Not set: no file is written.
    "http.targets_dir" "DOCKET_TARGETS_DIR", Kind::Path, ROLES;
    /// Connections at once, at most a quarter of the files that the process may open. One more takes the place of whoever
    /// has said nothing for longest; when all are at work it is refused. Higher: clients that hang hold more memory and
    /// files. Lower: scrapers and probes are refused beside busy clients.
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
    Ok(HttpSettings {
        addr,
        token: env.secret("DOCKET_HTTP_TOKEN")?,
        tokens: env.get("DOCKET_HTTP_TOKENS_FILE").map(tokens).transpose()?.unwrap_or_default(),
        hosts: env.list("DOCKET_HTTP_HOSTS").map(str::to_owned).collect(),
        rates: rates(env)?,
        metrics_open,
        targets_dir: env.get("DOCKET_TARGETS_DIR").map(PathBuf::from),
        limits,
        ..HttpSettings::default()
    })
}

/// How much one token may ask.
pub(super) fn rates(env: &Environment) -> Result<Rates, ConfigError> {
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
