//! The database, as one-shot commands use it.

use super::{
    dev,
    exit::{Failure, Outcome},
    migrate,
};
use crate::{
    config::{self, Environment},
    db,
    dev::running_env,
};
use std::{path::Path, time::Duration};
use tokio::time::timeout;
use tokio_postgres::{Client, Config};

/// How long a command tries to connect.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a one-shot command reads: what is configured and, for servers that this doesn't name, what the `docket dev` says
/// that runs in this directory.
pub(super) fn environment(mut env: Environment) -> Environment {
    for (name, value) in running_env(Path::new(dev::DIR)).into_iter().flatten() {
        if env.get(&format!("{name}_FILE")).is_none() {
            env.set_default(&name, &value);
        }
    }
    env
}

/// Where the database is.
pub(super) fn database(env: &Environment) -> Result<Config, Failure> {
    config::database_url(env).map_err(|error| match env.get("DATABASE_URL") {
        Some(_) => Failure::usage(error),
        None => Failure::usage(format!("{error} (none runs in {} here)", dev::DIR)),
    })
}

/// A connection to a database with the schema of this binary.
pub(super) async fn connect(env: &Environment) -> Result<Client, Failure> {
    let client = open(&database(env)?).await?;
    migrate::check(&client).await?;
    Ok(client)
}

/// A connection, with a deadline for each statement.
pub(super) async fn open(config: &Config) -> Result<Client, Failure> {
    let client = match timeout(PATIENCE, db::connect(config)).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Err(refused(&error, config)),
        Err(_) => return Err(away(&format!("no answer within {PATIENCE:?}"), config)),
    };
    deadline(&client).await?;
    Ok(client)
}

async fn deadline(client: &Client) -> Outcome {
    Ok(client.batch_execute("set statement_timeout = '60s'").await?)
}

/// A server that answers and refuses this user or this database: the URL is wrong, and waiting won't help.
fn refused(error: &tokio_postgres::Error, config: &Config) -> Failure {
    let reason = db::describe(error);
    let wrong = error.code().is_some_and(|code| code.code().starts_with("28") || code.code() == "3D000");
    // A server that wants a password is asked without one: the client library refuses before the server does.
    if wrong || reason.contains("password missing") {
        return Failure::usage(format!("DATABASE_URL: {} refuses: {reason}", place(config)));
    }
    away(&reason, config)
}

fn away(reason: &str, config: &Config) -> Failure {
    let place = place(config);
    Failure::unavailable(format!(
        "the database can't be reached at {place}: {reason}; is it running, is DATABASE_URL right?"
    ))
}

/// Host, port and database of a URL, without its secrets.
pub(super) fn place(config: &tokio_postgres::Config) -> String {
    use tokio_postgres::config::Host;
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let ports: Vec<String> = config.get_ports().iter().map(u16::to_string).collect();
    let ports = if ports.is_empty() { "5432".to_owned() } else { ports.join(",") };
    format!("{}:{ports}, database {:?}", hosts.join(","), config.get_dbname().unwrap_or("of the user's name"))
}
