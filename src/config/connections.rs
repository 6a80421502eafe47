//! Where the database, the broker and its management API are.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{ALL, COMMAND, settings},
};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use url::Url;

/// Where the database and the broker are.
#[derive(Clone, Debug)]
pub struct Connections {
    /// PostgreSQL.
    pub database: Config,
    /// RabbitMQ; none: this site has no broker.
    pub amqp: Option<SecretString>,
}

settings! {
    /// PostgreSQL, such as `postgres://user:password@host:5432/docket`. `docket dev` brings its own where none is named.
    "database.url" "DATABASE_URL", Kind::Secret, ALL;
    /// RabbitMQ, such as `amqp://user:password@host:5672/%2f`, or `none` for a site without a broker: workers then take
    /// their jobs straight from the database. `docket dev` brings its own where none is named.
    "broker.url" "AMQP_URL", Kind::Secret, ALL;
    /// RabbitMQ's management API, such as `http://user:password@host:15672`. Only commands that look at the broker, or
    /// change its topology, need it.
    "broker.management_url" "DOCKET_MANAGEMENT_URL", Kind::Secret, COMMAND;
}

const HINT: &str = "not set: name a server, or run `docket dev`, which brings its own";
const AMQP_HINT: &str =
    "not set: name a server, say `none` to work without a broker, or run `docket dev`, which brings its own";
/// The value of `AMQP_URL` at a site without a broker. It has to be said: a forgotten URL is a mistake.
pub const NO_BROKER: &str = "none";

/// Both, for a role.
///
/// # Errors
/// When one is not set or not a URL.
pub fn connections(env: &Environment) -> Result<Connections, ConfigError> {
    let database = database_url(env)?;
    Ok(Connections { database, amqp: amqp_needed(env)? })
}

/// RabbitMQ, or none where that is said.
pub(super) fn amqp_needed(env: &Environment) -> Result<Option<SecretString>, ConfigError> {
    if has_no_broker(env)? {
        return Ok(None);
    }
    amqp(env)?.map(Some).ok_or_else(|| ConfigError::new("AMQP_URL", AMQP_HINT))
}

/// Whether it is said that this site has no broker.
///
/// # Errors
/// When the secret's file can't be read.
pub fn has_no_broker(env: &Environment) -> Result<bool, ConfigError> {
    Ok(env.secret("AMQP_URL")?.is_some_and(|url| is_none(&url)))
}

fn is_none(url: &SecretString) -> bool {
    url.expose_secret() == NO_BROKER
}

/// The database alone, for commands that need no broker.
///
/// # Errors
/// When it is not set or not a URL.
pub fn database_url(env: &Environment) -> Result<Config, ConfigError> {
    let url = env.secret("DATABASE_URL")?.ok_or_else(|| ConfigError::new("DATABASE_URL", HINT))?;
    crate::db::parse_url(url.expose_secret()).map_err(|e| ConfigError::new("DATABASE_URL", e.to_string()))
}

/// RabbitMQ alone, where it is named, for commands that can do without.
///
/// # Errors
/// When its file can't be read.
pub fn amqp(env: &Environment) -> Result<Option<SecretString>, ConfigError> {
    Ok(env.secret("AMQP_URL")?.filter(|url| !is_none(url)))
}

/// RabbitMQ's management API, where one is named.
///
/// # Errors
/// When it is no web address.
pub fn management(env: &Environment) -> Result<Option<SecretString>, ConfigError> {
    let name = "DOCKET_MANAGEMENT_URL";
    let Some(url) = env.secret(name)? else { return Ok(None) };
    // The parser's words hold nothing of what it read.
    let parsed = Url::parse(url.expose_secret()).ok().filter(|url| url.has_host());
    match parsed.as_ref().map(Url::scheme) {
        Some("http" | "https") => Ok(Some(url)),
        _ => Err(ConfigError::new(name, "not a web address, such as http://user:password@host:15672")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn urls_are_needed_and_never_shown() {
        let missing = database_url(&env(&[])).unwrap_err();
        assert!(missing.to_string().contains("docket dev"), "{missing}");
        let bad = database_url(&env(&[("DATABASE_URL", "postgres://user:hunter2@host:notaport/db")])).unwrap_err();
        assert!(!bad.to_string().contains("hunter2"), "{bad}");
        let both = [("DATABASE_URL", "postgres://u@localhost/d"), ("AMQP_URL", "amqp://u:hunter2@localhost")];
        let connections = connections(&env(&both)).unwrap();
        assert!(!format!("{connections:?}").contains("hunter2"));
    }

    #[test]
    fn a_site_without_a_broker_says_so() {
        let read = |amqp: &[(&str, &str)]| {
            let vars = [&[("DATABASE_URL", "postgres://u@localhost/d")], amqp].concat();
            (connections(&env(&vars)).map(|c| c.amqp.is_some()), has_no_broker(&env(&vars)).unwrap())
        };
        assert_eq!(read(&[("AMQP_URL", "none")]), (Ok(false), true));
        assert_eq!(read(&[("AMQP_URL", "amqp://u@localhost")]), (Ok(true), false));
        let (refused, is_said) = read(&[]);
        assert!(refused.unwrap_err().to_string().contains("`none`") && !is_said);
        assert!(amqp(&env(&[("AMQP_URL", "none")])).unwrap().is_none());
    }

    #[test]
    fn the_management_api_is_a_web_address_or_nothing() {
        let read = |url: &str| management(&env(&[("DOCKET_MANAGEMENT_URL", url)]));
        assert!(read("").unwrap().is_none());
        assert!(read("http://u:hunter2@localhost:15672").unwrap().is_some());
        for bad in
            ["localhost:15672", "amqp://u:hunter2@localhost", "http://u:hunter2@", "hunter2", "http://u:hunter2@h:x"]
        {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.contains("15672") && !error.contains("hunter2"), "{error}");
        }
    }
}
