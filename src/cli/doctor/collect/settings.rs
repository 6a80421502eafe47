//! The configuration, section by section: one that can't be used keeps no other from being read.

use super::super::facts::{Account, Role, Settings};
use crate::{
    civic::{llm::client::ModelSettings, settings::SummariserSettings},
    cli::server,
    config::{self, ConfigError, Environment, FleetConfig},
    fleet::{
        broker::{Topology, virtual_host},
        ports::Retention,
        settings::Protocol,
    },
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use secrecy::{ExposeSecret, SecretString};
use std::{net::SocketAddr, time::Duration};
use tokio_postgres::config::{Host, SslMode};
use url::Url;

/// What the other parts start from.
pub(super) struct Read {
    pub(super) settings: Settings,
    pub(super) fleet: FleetConfig,
    pub(super) database: Option<tokio_postgres::Config>,
    pub(super) amqp: Option<SecretString>,
    pub(super) management: Option<SecretString>,
    /// Where the endpoint is to listen; none: the setting can't be used.
    pub(super) endpoint: Option<SocketAddr>,
    /// The language in which images of pages are to be read; none: they are not.
    pub(super) ocr_language: Option<String>,
}

/// Reads everything that these roles use. What was refused already is told once.
pub(super) fn read(env: &Environment, roles: &[Role], refused: Vec<ConfigError>) -> Read {
    let mut errors = refused;
    let mut take = |error: ConfigError| {
        // It may have been told with the place in the file instead of the variable.
        if !errors.iter().any(|known| known.problem == error.problem) {
            errors.push(error);
        }
    };
    // What is not set is told where the service is judged.
    let is_set = |name: &str| env.get(name).is_some() || env.get(&format!("{name}_FILE")).is_some();
    let named = is_set("DATABASE_URL").then(|| config::database_url(env));
    let database = named.and_then(|read| read.map_err(&mut take).ok());
    let amqp = config::amqp(env).map_err(&mut take).ok().flatten();
    let management = config::management(env).map_err(&mut take).ok().flatten();
    let fleet = config::fleet(env).map_err(&mut take).unwrap_or_else(|_| defaults());
    let is_worker = roles.contains(&Role::Worker);
    let civic = is_worker.then(|| config::civic(env).map_err(&mut take).ok()).flatten();
    if roles.contains(&Role::Scheduler) {
        let _ = config::record_days(env).map_err(&mut take);
        let _ = config::follow(env).map_err(&mut take);
        let _ = config::budgets(env).map_err(&mut take);
    }
    let own = if roles.contains(&Role::Server) { server::DEFAULT } else { any() };
    let endpoint = config::http(env, None, own).map_err(&mut take).ok().map(|http| http.addr);
    let worker = config::worker(env, fleet.topology.lanes());
    let slots = worker.map_err(&mut take).map_or(16, |worker| worker.slots);
    let amqp_url = amqp.as_ref().and_then(|url| Url::parse(url.expose_secret()).ok());
    let management_url = management.as_ref().and_then(|url| Url::parse(url.expose_secret()).ok());
    let settings = Settings {
        protocol: fleet.protocol.clone(),
        topology: fleet.topology.clone(),
        slots,
        consumer_timeout: fleet.consumer_timeout,
        has_broker: !config::has_no_broker(env).unwrap_or(false),
        account: account(amqp.as_ref(), amqp_url.as_ref()),
        unencrypted: unencrypted(database.as_ref(), amqp_url.as_ref(), management_url.as_ref()),
        models: civic.as_ref().map(|civic| priced(&civic.summariser)).unwrap_or_default(),
        // Only workers ask cities.
        has_contact: !is_worker || env.get("DOCKET_CONTACT").is_some(),
        tls_exceptions: civic.map(|civic| civic.http.tls_exceptions).unwrap_or_default(),
        errors,
    };
    // What is wrong with it is among the domain's findings.
    let ocr_language = config::ocr(env).ok().flatten().map(|ocr| ocr.language);
    Read { settings, fleet, database, amqp, management, endpoint, ocr_language }
}

/// The models, each with the age of its price in days.
fn priced(summariser: &SummariserSettings) -> Vec<(String, Option<i32>)> {
    let SummariserSettings::Models(models) = summariser else { return Vec::new() };
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let age = |since: Date| today.since(since).map_or(0, |age| age.get_days());
    let priced = |model: &ModelSettings| (model.model.clone(), model.prices.since(&model.model, today).map(age));
    models.list.iter().map(priced).collect()
}

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// For what can be looked at although the fleet's settings can't be used.
fn defaults() -> FleetConfig {
    let topology = Topology::new(["default"]).expect("a name of letters");
    FleetConfig {
        topology,
        protocol: Protocol::default(),
        retention: Retention::default(),
        consumer_timeout: Duration::from_mins(30),
    }
}

/// Without a user in the URL it is `guest`.
fn account(secret: Option<&SecretString>, url: Option<&Url>) -> Option<Account> {
    let vhost = virtual_host(secret?)?;
    let user = url?.username();
    let encoded = format!("x={}", if user.is_empty() { "guest" } else { user }.replace('+', "%2B"));
    let user = url::form_urlencoded::parse(encoded.as_bytes()).next()?.1.into_owned();
    Some(Account { user, vhost })
}

fn unencrypted(
    database: Option<&tokio_postgres::Config>,
    amqp: Option<&Url>,
    management: Option<&Url>,
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for host in database.into_iter().flat_map(tokio_postgres::Config::get_hosts) {
        // `prefer` takes what the server gives, and a man in the middle gives none.
        if let Host::Tcp(name) = host
            && !is_here(name)
            && database.is_some_and(|config| config.get_ssl_mode() != SslMode::Require)
        {
            found.push(("DATABASE_URL", name.clone()));
        }
    }
    for (name, url, plain) in [("AMQP_URL", amqp, "amqp"), ("DOCKET_MANAGEMENT_URL", management, "http")] {
        let host = url.filter(|url| url.scheme() == plain).and_then(Url::host_str);
        found.extend(host.filter(|host| !is_here(host)).map(|host| (name, host.to_owned())));
    }
    found
}

fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Environment {
        vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn one_bad_section_leaves_the_others() {
        let vars = [
            ("DATABASE_URL", "mysql://u:hunter2@h/d"),
            ("AMQP_URL", "amqp://w:hunter2@127.0.0.1/fleet%2Fa"),
            ("DOCKET_LEASE", "1s"),
            ("DOCKET_SUMMARISER", "magic"),
            ("DOCKET_HTTP", "nowhere"),
        ];
        let read = read(&env(&vars), &Role::ALL, Vec::new());
        let names: Vec<&str> = read.settings.errors.iter().map(|error| error.name.as_str()).collect();
        assert_eq!(names, ["DATABASE_URL", "DOCKET_LEASE", "DOCKET_SUMMARISER", "DOCKET_HTTP"]);
        let account = read.settings.account.expect("a URL");
        assert_eq!((account.user.as_str(), account.vhost.as_str()), ("w", "fleet/a"));
        assert!(read.endpoint.is_none() && read.amqp.is_some() && read.database.is_none());
        assert!(read.settings.errors.iter().all(|error| !error.to_string().contains("hunter2")));
    }

    #[test]
    fn plain_connections_to_other_machines_are_found() {
        let found = |vars: &[(&str, &str)]| {
            let read = read(&env(vars), &Role::ALL, Vec::new());
            read.settings.unencrypted.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let here = [("DATABASE_URL", "postgres://u@localhost/d"), ("AMQP_URL", "amqp://u@[::1]")];
        assert_eq!(found(&here), [""; 0]);
        let away = [
            ("DATABASE_URL", "postgres://u@db.example/d"),
            ("AMQP_URL", "amqp://u@10.0.0.9"),
            ("DOCKET_MANAGEMENT_URL", "http://u:p@10.0.0.9:15672"),
        ];
        assert_eq!(found(&away), ["DATABASE_URL", "AMQP_URL", "DOCKET_MANAGEMENT_URL"]);
        let encrypted = [
            ("DATABASE_URL", "postgres://u@db.example/d?sslmode=require"),
            ("AMQP_URL", "amqps://u@10.0.0.9"),
            ("DOCKET_MANAGEMENT_URL", "https://u:p@10.0.0.9"),
        ];
        assert_eq!(found(&encrypted), [""; 0]);
    }
}
