//! Where the database and the broker are.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DATABASE_URL`, `DATABASE_URL_FILE` | PostgreSQL, such as `postgres://user:password@host:5432/docket` | |
//! | `AMQP_URL`, `AMQP_URL_FILE` | RabbitMQ, such as `amqp://user:password@host:5672/%2f` | |
//! | `DOCKET_MANAGEMENT_URL`, `DOCKET_MANAGEMENT_URL_FILE` | RabbitMQ's management API, such as `http://user:password@host:15672` | |

use super::lookup::{ConfigError, Environment};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;

/// Where the database and the broker are.
#[derive(Clone, Debug)]
pub struct Connections {
    /// PostgreSQL.
    pub database: Config,
    /// RabbitMQ.
    pub amqp: SecretString,
}

const HINT: &str = "not set: name a server, or run `docket dev`, which brings its own";

/// Both, for a role.
///
/// # Errors
/// When one is not set or not a URL.
pub fn connections(env: &Environment) -> Result<Connections, ConfigError> {
    let database = database_url(env)?;
    let amqp = env.secret("AMQP_URL")?.ok_or_else(|| ConfigError::new("AMQP_URL", HINT))?;
    Ok(Connections { database, amqp })
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
    env.secret("AMQP_URL")
}

/// RabbitMQ's management API, where it is named.
///
/// # Errors
/// When its file can't be read.
pub fn management(env: &Environment) -> Result<Option<SecretString>, ConfigError> {
    env.secret("DOCKET_MANAGEMENT_URL")
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
}
