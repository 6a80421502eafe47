//! The private services together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::task::JoinSet;

use super::binaries;
use super::place::{self, Account};
use super::ports::Claim;
use super::postgres::{Postgres, PostgresParts};
use super::rabbitmq::{RabbitMq, RabbitMqParts};
use super::rabbitmq_config::Ports;
use super::state::{Watch, down};
use super::supervise::supervise;

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct ServicesSpec {
    /// The state directory, usually `.docket`; it is made if need be. One set of services at a time runs in it.
    pub dir: PathBuf,
    /// Keep the data for the next start; otherwise it goes when the services end, however they end.
    pub keep: bool,
    /// Start PostgreSQL.
    pub postgres: bool,
    /// Start RabbitMQ and let it import these definitions (`{}` for none).
    pub rabbitmq: Option<Value>,
    /// PostgreSQL flushes to disk. Only tests turn it off.
    pub durable: bool,
}

/// Private services that run. When this value goes away, or its process, they end.
pub struct Services {
    postgres: Option<Arc<Postgres>>,
    rabbitmq: Option<Arc<RabbitMq>>,
    dir: PathBuf,
    data: PathBuf,
    watch: Arc<Watch>,
    /// Starts again what ends before its time.
    supervising: JoinSet<()>,
    _ports: Claim<6>,
}

impl Services {
    /// Starts the services. PostgreSQL accepts connections on return, after about a second; RabbitMQ comes up in the
    /// background, see [`Services::wait_broker`]. Writes the URLs to `env` in the state directory.
    ///
    /// # Errors
    ///
    /// Docket runs there already, the directory can't be written, a program is missing (the error names the package),
    /// or a service doesn't start (the error quotes its log).
    pub async fn start(spec: ServicesSpec) -> Result<Self> {
        let dir = place::state_dir(&spec.dir)?;
        let lock = Watch::claim(&dir).await?;
        // Everything that may be missing is looked for before anything is started.
        let postgres_binaries = spec.postgres.then(binaries::postgres).transpose()?;
        let account = spec.postgres.then(Account::for_postgres).transpose()?.flatten();
        let rabbitmq_binaries = spec.rabbitmq.is_some().then(binaries::rabbitmq).transpose()?;
        let data = place::data_dir(&dir, spec.keep, account)?;
        let watch = Arc::new(Watch::start(&dir, lock, (!spec.keep).then_some(data.as_path()))?);
        let password = place::password(&data)?;
        let claim = Claim::new()?;
        let [postgres_port, amqp, management, prometheus, distribution, epmd] = claim.ports;

        let (root, watching) = (data.clone(), Arc::clone(&watch));
        let supervising = JoinSet::new();
        let mut services = Self { postgres: None, rabbitmq: None, dir, data, watch, supervising, _ports: claim };
        // The slow one first.
        if let (Some(binaries), Some(definitions)) = (rabbitmq_binaries, spec.rabbitmq) {
            let ports = Ports { amqp, management, prometheus, distribution, epmd };
            let (root, password, keep) = (root.clone(), password.clone(), spec.keep);
            let parts = RabbitMqParts { binaries, root, ports, password, keep, definitions };
            services.rabbitmq = Some(Arc::new(RabbitMq::create(parts, Arc::clone(&watching)).await?));
        }
        if let Some(binaries) = postgres_binaries {
            let (keep, durable, port) = (spec.keep, spec.durable, postgres_port);
            let parts = PostgresParts { binaries, account, root, port, password, keep, durable };
            services.postgres = Some(Arc::new(Postgres::create(parts, watching).await?));
        }
        services.write_env(&[])?;
        Ok(services)
    }

    /// The private PostgreSQL, if one was asked for.
    pub fn postgres(&self) -> Option<&Postgres> {
        self.postgres.as_deref()
    }

    /// The private RabbitMQ, if one was asked for.
    pub fn rabbitmq(&self) -> Option<&RabbitMq> {
        self.rabbitmq.as_deref()
    }

    /// The database's URL, with its password.
    pub fn database_url(&self) -> Option<&str> {
        self.postgres().map(Postgres::url)
    }

    /// The broker's URL, with its password; known before the broker answers.
    pub fn amqp_url(&self) -> Option<&str> {
        self.rabbitmq().map(RabbitMq::amqp_url)
    }

    /// The broker's management API, with its password.
    pub fn management_url(&self) -> Option<&str> {
        self.rabbitmq().map(RabbitMq::management_url)
    }

    /// The port of the broker's own metrics, at `/metrics` on 127.0.0.1.
    pub fn prometheus_port(&self) -> Option<u16> {
        self.rabbitmq().map(RabbitMq::prometheus_port)
    }

    /// Where the services keep their data and their logs.
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// A file of variables that name the services.
    pub(super) fn env_file(&self) -> PathBuf {
        self.dir.join("env")
    }

    /// What ends further processes with the services.
    pub(super) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    /// Waits until the broker answers and has imported its definitions; returns at once without one.
    ///
    /// # Errors
    ///
    /// The broker has ended or takes too long; the error quotes its log.
    pub async fn wait_broker(&self) -> Result<()> {
        match &self.rabbitmq {
            Some(rabbitmq) => rabbitmq.wait().await,
            None => Ok(()),
        }
    }

    /// From now on a service that ends before its time is started again: PostgreSQL with its data, RabbitMQ with what is
    /// left of its own, and with its definitions. One that was stopped or killed here stays so.
    pub fn supervise(&mut self) {
        self.supervising = supervise(self.postgres.as_ref(), self.rabbitmq.as_ref());
    }

    /// Ends the services: in order when their data is kept, otherwise at once, and removes the data.
    pub async fn stop(self) {
        let Self { postgres, rabbitmq, watch, mut supervising, _ports, .. } = self;
        supervising.shutdown().await;
        if let Some(rabbitmq) = rabbitmq {
            rabbitmq.stop().await;
        }
        if let Some(postgres) = postgres {
            postgres.stop().await;
        }
        if let Some(watch) = Arc::into_inner(watch) {
            watch.finish().await;
        }
    }

    /// Writes the URLs to `env` in the state directory, with those of what runs beside the services.
    pub(super) fn write_env(&self, beside: &[(&str, String)]) -> Result<()> {
        let own = [
            ("DATABASE_URL", self.database_url()),
            ("AMQP_URL", self.amqp_url()),
            ("DOCKET_MANAGEMENT_URL", self.management_url()),
        ];
        let own = own.into_iter().filter_map(|(name, url)| Some((name, url?)));
        let all = own.chain(beside.iter().map(|(name, url)| (*name, url.as_str())));
        let text: String = all.map(|(name, url)| format!("{name}={url}\n")).collect();
        place::write_private(&self.env_file(), &text).context("can't write the services' URLs")
    }
}

/// Ends what runs in a state directory and removes the data that was kept there.
///
/// # Errors
///
/// As [`down`], or the data can't be removed.
pub async fn reset(dir: &Path) -> Result<()> {
    down(dir).await?;
    place::remove_kept(dir)
}
