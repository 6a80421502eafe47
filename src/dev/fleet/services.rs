//! The fleet and its services.

use super::{
    member::{Member, MemberParts},
    spec::{FleetSpec, MemberSpec},
};
use crate::{
    db,
    dev::{
        Postgres, RabbitMq, Services, ServicesSpec,
        proxy::{Protocol, Proxy},
        service::Service,
    },
    fleet::broker::{Topology, definitions, management::Management},
};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_postgres::{Client, Config};
use url::Url;

/// The virtual host of the private broker.
const VHOST: &str = "/";

/// A private fleet. Dropped, it ends; [`Fleet::stop`] waits for that.
pub struct Fleet {
    spec: FleetSpec,
    dir: PathBuf,
    services: Services,
    definitions: Value,
    config: Config,
    management: Management,
    client: reqwest::Client,
    members: Mutex<Vec<Arc<Member>>>,
}

impl Fleet {
    /// Starts the services, brings the schema up to date, and waits for the broker. No member runs yet.
    ///
    /// # Errors
    /// As [`Services::start`] and [`Services::wait_broker`]; a migration fails.
    pub async fn start(spec: FleetSpec) -> Result<Self> {
        fs::create_dir_all(spec.dir.join("logs")).with_context(|| format!("can't create {}", spec.dir.display()))?;
        let dir = fs::canonicalize(&spec.dir)?;
        let topology = Topology::new(&spec.lanes)?;
        let definitions = definitions(&topology, VHOST, &[]);
        let services = Services::start(ServicesSpec {
            dir: dir.join("services"),
            keep: false,
            postgres: true,
            rabbitmq: Some(definitions.clone()),
            durable: spec.durable,
        })
        .await?;
        let config = db::parse_url(services.database_url().context("a database was asked for")?)?;
        let management = services.management_url().context("a broker was asked for")?;
        let management = Management::new(&management.into())?;
        db::migrate(&config).await?;
        services.wait_broker().await?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { spec, dir, services, definitions, config, management, client, members: Mutex::default() })
    }

    /// Makes a member, with proxies of its own, and starts it.
    ///
    /// # Errors
    /// Its name is taken, or it can't be started.
    pub async fn spawn(&self, spec: MemberSpec) -> Result<Arc<Member>> {
        let member = self.member(spec).await?;
        member.start()?;
        Ok(member)
    }

    /// Makes a member without starting it.
    ///
    /// # Errors
    /// Its name is taken, or no port can be had.
    pub async fn member(&self, spec: MemberSpec) -> Result<Arc<Member>> {
        ensure!(self.members().iter().all(|member| member.name() != spec.name), "{} is there already", spec.name);
        let log = self.dir.join("logs").join(format!("{}.log", spec.name));
        let parts = MemberParts {
            service: Service::new(&spec.name, log, Signal::SIGKILL, self.services.watch()),
            client: self.client.clone(),
            database: through(self.services.database_url(), Protocol::PostgreSql).await?,
            broker: through(self.services.amqp_url(), Protocol::Amqp).await?,
            spec,
        };
        let member = Arc::new(Member::new(&self.spec, self.dir.clone(), parts)?);
        self.lock().push(member.clone());
        Ok(member)
    }

    /// All members, in the order in which they were made.
    #[must_use]
    pub fn members(&self) -> Vec<Arc<Member>> {
        self.lock().clone()
    }

    /// The private PostgreSQL.
    ///
    /// # Panics
    /// Never: a fleet has one.
    #[must_use]
    pub fn postgres(&self) -> &Postgres {
        self.services.postgres().expect("a fleet starts one")
    }

    /// The private RabbitMQ.
    ///
    /// # Panics
    /// Never: a fleet has one.
    #[must_use]
    pub fn rabbitmq(&self) -> &RabbitMq {
        self.services.rabbitmq().expect("a fleet starts one")
    }

    /// All private services.
    pub(in crate::dev) const fn services(&self) -> &Services {
        &self.services
    }

    /// The broker's management API.
    #[must_use]
    pub const fn management(&self) -> &Management {
        &self.management
    }

    /// What the broker imports at its start; [`Management::import`] does it once more.
    #[must_use]
    pub const fn definitions(&self) -> &Value {
        &self.definitions
    }

    /// The broker's virtual host.
    #[must_use]
    pub const fn vhost(&self) -> &'static str {
        VHOST
    }

    /// How to reach the database, past all proxies.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// A connection to the database, past all proxies.
    ///
    /// # Errors
    /// The database is away.
    pub async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        db::connect(&self.config).await
    }

    /// The database's URL, past all proxies, with its password.
    ///
    /// # Panics
    /// Never: a fleet has a database.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.services.database_url().expect("a fleet starts one")
    }

    /// The broker's URL, past all proxies, with its password.
    ///
    /// # Panics
    /// Never: a fleet has a broker.
    #[must_use]
    pub fn amqp_url(&self) -> &str {
        self.services.amqp_url().expect("a fleet starts one")
    }

    /// Where `logs` is, and the state of the services.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Kills the members and ends the services; their data goes, the members' logs stay.
    pub async fn stop(self) {
        let members = std::mem::take(&mut *self.lock());
        for member in members {
            member.kill9().await;
        }
        self.services.stop().await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Member>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A proxy to what a URL names, and the URL that names the proxy.
async fn through(url: Option<&str>, protocol: Protocol) -> Result<(Proxy, String)> {
    let mut url = Url::parse(url.context("the service was asked for")?)?;
    let port = url.port().context("a private service's URL names its port")?;
    let proxy = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), protocol).await?;
    let set = url.set_port(Some(proxy.address().port()));
    ensure!(set.is_ok(), "a private service's URL can name any port");
    Ok((proxy, url.into()))
}

/// Ends all sessions of the database but the caller's, and says how many.
///
/// # Errors
/// When the database is away.
pub async fn terminate_backends(client: &Client) -> Result<i64, tokio_postgres::Error> {
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
               where datname = current_database() and pid <> pg_backend_pid()";
    Ok(client.query_one(sql, &[]).await?.get(0))
}
