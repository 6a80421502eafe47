//! A private PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use tokio::time::{sleep, timeout};
use tokio_postgres::NoTls;

use super::binaries::PostgresBinaries;
use super::place::{Account, write_private};
use super::service::Service;
use super::state::Watch;
use super::supervise::Supervised;

/// The user, and the database.
const NAME: &str = "docket";

/// A new cluster takes 0.7 s on a calm machine.
const INITDB_LIMIT: Duration = Duration::from_secs(60);

/// After a crash the log is replayed first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A private PostgreSQL: TCP on 127.0.0.1 only, one user with a random password, one database.
pub struct Postgres {
    binaries: PostgresBinaries,
    account: Option<Account>,
    data: PathBuf,
    port: u16,
    durable: bool,
    url: String,
    service: Service,
}

/// What a private PostgreSQL is made of.
pub(super) struct PostgresParts {
    pub(super) binaries: PostgresBinaries,
    pub(super) account: Option<Account>,
    pub(super) root: PathBuf,
    pub(super) port: u16,
    pub(super) password: String,
    pub(super) keep: bool,
    pub(super) durable: bool,
}

impl Postgres {
    /// Makes the cluster if there is none, starts it, and makes the database.
    pub(super) async fn create(parts: PostgresParts, watch: Arc<Watch>) -> Result<Self> {
        let PostgresParts { binaries, account, root, port, password, keep, durable } = parts;
        let data = root.join("postgres");
        if !data.join("PG_VERSION").exists() {
            initdb(&binaries, account, &data, &password).await?;
        }
        // SIGINT is PostgreSQL's fast shutdown with a checkpoint, SIGQUIT its immediate one without.
        let signal = if keep { Signal::SIGINT } else { Signal::SIGQUIT };
        let service = Service::new("postgres", root.join("postgres.log"), signal, watch);
        let url = format!("postgres://{NAME}:{password}@127.0.0.1:{port}/{NAME}");
        let postgres = Self { binaries, account, data, port, durable, url, service };
        postgres.spawn(&[])?;
        let maintenance = format!("postgres://{NAME}:{password}@127.0.0.1:{port}/postgres");
        postgres.wait(&maintenance).await?;
        create_database(&maintenance).await?;
        Ok(postgres)
    }

    /// The database's URL, with its password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Processor time of the server and its sessions so far.
    pub fn cpu(&self) -> Duration {
        self.service.cpu()
    }

    /// Ends the server and waits for its end; data that is kept gets a checkpoint.
    pub async fn stop(&self) {
        self.service.stop().await;
    }

    /// Kills the server and its sessions.
    pub async fn kill9(&self) {
        self.service.kill9().await;
    }

    /// Starts a server that was stopped or killed, at the same port with the same data, and waits until it accepts.
    ///
    /// # Errors
    ///
    /// The server doesn't start; the error quotes its log.
    pub async fn start(&self) -> Result<()> {
        self.start_with(&[]).await
    }

    /// The same with variables for the server, such as `LD_PRELOAD`.
    ///
    /// # Errors
    ///
    /// As [`Postgres::start`].
    pub async fn start_with(&self, env: &[(&str, &str)]) -> Result<()> {
        self.spawn(env)?;
        self.wait(&self.url).await
    }

    /// Stops the server and starts it again.
    ///
    /// # Errors
    ///
    /// As [`Postgres::start`].
    pub async fn restart(&self) -> Result<()> {
        self.stop().await;
        self.start().await
    }

    /// Stops the server as an administrator does who can't wait for its clients, and starts it again.
    ///
    /// # Errors
    ///
    /// As [`Postgres::start`].
    pub async fn restart_fast(&self) -> Result<()> {
        self.service.end(Signal::SIGINT).await;
        self.start().await
    }

    fn spawn(&self, env: &[(&str, &str)]) -> Result<()> {
        let mut command = clean(&self.binaries.postgres, self.account, &self.data);
        command.envs(env.iter().copied());
        command.arg("-D").arg(&self.data).args(["-p", &self.port.to_string()]);
        let mut settings = vec!["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"];
        if !self.durable {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        }
        command.args(settings.into_iter().flat_map(|setting| ["-c", setting]));
        self.service.spawn(command)
    }

    async fn wait(&self, url: &str) -> Result<()> {
        let accepts = async {
            loop {
                self.service.check()?;
                match connect(url).await {
                    Ok(_) => return anyhow::Ok(()),
                    Err(_not_yet) => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        match timeout(START_LIMIT, accepts).await {
            Ok(result) => result,
            Err(_) => bail!("PostgreSQL doesn't accept connections; its log ends with:\n{}", self.service.log_end()),
        }
    }
}

impl Supervised for Postgres {
    const NAME: &'static str = "postgres";

    fn has_died(&self) -> bool {
        self.service.has_died()
    }

    async fn revive(&self) -> Result<()> {
        self.start().await
    }
}

async fn initdb(binaries: &PostgresBinaries, account: Option<Account>, data: &Path, password: &str) -> Result<()> {
    // What a start that was cut short has left is no cluster.
    drop(std::fs::remove_dir_all(data));
    std::fs::create_dir(data).with_context(|| format!("can't create {}", data.display()))?;
    let file = data.with_extension("password");
    write_private(&file, password)?;
    if let Some(Account { uid, gid }) = account {
        for path in [data, &file] {
            nix::unistd::chown(path, Some(uid), Some(gid)).context("can't hand the data to the user postgres")?;
        }
    }
    let mut command = clean(&binaries.initdb, account, data);
    command.args(["--username", NAME, "--auth=scram-sha-256", "--no-locale", "--encoding=UTF8", "--no-sync"]);
    command.arg("--pwfile").arg(&file).arg("-D").arg(data).stdin(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    let output = timeout(INITDB_LIMIT, command.kill_on_drop(true).output()).await;
    let output = output.context("initdb takes too long")?.context("can't run initdb")?;
    drop(std::fs::remove_file(&file));
    if !output.status.success() {
        bail!("initdb ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// A command that sees nothing of the caller's environment: PGDATA, PGPORT and the like would leak in.
fn clean(program: &Path, account: Option<Account>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").current_dir(dir);
    if let Some(account) = account {
        account.apply(&mut command);
    }
    command
}

async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let connecting = timeout(Duration::from_secs(5), tokio_postgres::connect(url, NoTls));
    let (client, connection) = connecting.await.context("no answer")??;
    // Ends when the client is dropped.
    tokio::spawn(connection);
    Ok(client)
}

async fn create_database(maintenance: &str) -> Result<()> {
    let client = connect(maintenance).await?;
    let there = client.query_opt("select from pg_database where datname = $1", &[&NAME]).await?;
    if there.is_none() {
        client.batch_execute(&format!("create database {NAME}")).await.context("can't create the database")?;
    }
    Ok(())
}
