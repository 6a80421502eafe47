//! One process of the fleet.

use super::spec::{FleetSpec, MemberSpec};
use crate::dev::{ports::Claim, proxy::Proxy, service::Service};
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// Deadline of a request to a member's endpoint.
const ANSWER: Duration = Duration::from_secs(5);
/// Largest page of metrics that is read.
const PAGE_MAX: usize = 4 * 1024 * 1024;

/// A process that is started again and again with the same name, ports and proxies.
pub struct Member {
    spec: MemberSpec,
    binary: PathBuf,
    dir: PathBuf,
    env: Vec<(String, String)>,
    service: Service,
    http: Claim<1>,
    client: reqwest::Client,
    database: Proxy,
    broker: Proxy,
}

/// What a member gets from its fleet.
pub(super) struct MemberParts {
    pub(super) spec: MemberSpec,
    pub(super) service: Service,
    pub(super) client: reqwest::Client,
    pub(super) database: (Proxy, String),
    pub(super) broker: (Proxy, String),
}

impl Member {
    pub(super) fn new(fleet: &FleetSpec, dir: PathBuf, parts: MemberParts) -> Result<Self> {
        let MemberParts { spec, service, client, database, broker } = parts;
        let mut env = vec![("DATABASE_URL".to_owned(), database.1), ("AMQP_URL".to_owned(), broker.1)];
        env.extend(fleet.env.iter().cloned());
        env.extend(spec.env.iter().cloned());
        let (binary, http) = (fleet.binary.clone(), Claim::new()?);
        Ok(Self { spec, binary, dir, env, service, http, client, database: database.0, broker: broker.0 })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// What it reaches PostgreSQL through.
    #[must_use]
    pub const fn database(&self) -> &Proxy {
        &self.database
    }

    /// What it reaches RabbitMQ through.
    #[must_use]
    pub const fn broker(&self) -> &Proxy {
        &self.broker
    }

    /// Both of its outputs, of all its runs.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.service.log
    }

    /// The end of its log, for messages.
    #[must_use]
    pub fn log_end(&self) -> String {
        self.service.log_end()
    }

    /// Its process number, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.service.pid()
    }

    /// Starts it; it must not run.
    ///
    /// # Errors
    /// When it runs already, or can't be started.
    pub fn start(&self) -> Result<()> {
        self.start_with(&[])
    }

    /// The same with further variables, for this run only.
    ///
    /// # Errors
    /// As [`Member::start`].
    pub fn start_with(&self, env: &[(&str, &str)]) -> Result<()> {
        ensure!(self.pid().is_none(), "{} runs already", self.name());
        let mut command = match &self.spec.under[..] {
            [] => Command::new(&self.binary),
            [program, args @ ..] => {
                let mut command = Command::new(program);
                command.args(args).arg(&self.binary);
                command
            }
        };
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).current_dir(&self.dir);
        command.envs(self.env.iter().map(|(name, value)| (name, value))).envs(env.iter().copied());
        command.args(["--config", "none"]).args(&self.spec.args).args(["--http", &self.address()]);
        self.service.spawn(command)
    }

    /// Waits until it says that it is ready, degraded included.
    ///
    /// # Errors
    /// It ended, or isn't ready in time; the error quotes its log.
    pub async fn ready(&self, limit: Duration) -> Result<()> {
        let ready = async {
            loop {
                self.service.check()?;
                if matches!(self.get("/readyz").await, Ok((200, _))) {
                    return Ok(());
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        match timeout(limit, ready).await {
            Ok(result) => result,
            Err(_) => bail!("{} isn't ready; its log ends with:\n{}", self.name(), self.log_end()),
        }
    }

    /// kill -9, with its children.
    pub async fn kill9(&self) {
        self.service.kill9().await;
    }

    /// SIGTERM: it drains and ends.
    pub fn terminate(&self) {
        self.service.signal(Signal::SIGTERM);
    }

    /// SIGSTOP: it gets no processor time.
    pub fn suspend(&self) {
        self.service.signal(Signal::SIGSTOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.service.signal(Signal::SIGCONT);
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// It still runs after `limit`, or was killed by [`Member::kill9`].
    pub async fn ended(&self, limit: Duration) -> Result<ExitStatus> {
        let ended = self.service.ended(limit).await;
        ended.with_context(|| format!("{} hasn't ended; its log ends with:\n{}", self.name(), self.log_end()))
    }

    /// Its page of metrics.
    ///
    /// # Errors
    /// It doesn't answer.
    pub async fn metrics(&self) -> Result<String> {
        let (status, page) = self.get("/metrics").await?;
        ensure!(status == 200, "/metrics of {} answers {status}", self.name());
        Ok(page)
    }

    /// Asks its endpoint: the status and the answer's beginning.
    ///
    /// # Errors
    /// It doesn't answer within 5 seconds.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let request = self.client.get(format!("http://{}{path}", self.address())).timeout(ANSWER);
        let mut response = request.send().await?;
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while body.len() < PAGE_MAX
            && let Some(chunk) = response.chunk().await?
        {
            body.extend_from_slice(&chunk);
        }
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Where its endpoint listens.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.http.ports[0])
    }
}
