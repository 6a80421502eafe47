//! What was seen, without a judgement.

use super::super::exit::Failure;
use crate::{
    civic::{document::OcrState, vendor::http::TlsException},
    config::ConfigError,
    fleet::{
        broker::{Topology, TopologyFault, management::Observed},
        settings::Protocol,
    },
};
use clap::ValueEnum;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// A question's answer, or why there is none.
pub(super) type Seen<T> = Result<T, String>;

/// What a process is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    Scheduler,
    Worker,
    Server,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Scheduler, Self::Worker, Self::Server];
}

/// A service.
#[derive(Debug)]
pub(super) enum Service<T> {
    /// No URL that can be used: there is nothing to ask.
    Unnamed,
    /// It can't be reached, or refuses.
    Failed(Failure),
    /// What it told.
    Answers(T),
}

impl<T> Service<T> {
    pub(super) const fn answers(&self) -> Option<&T> {
        match self {
            Self::Answers(facts) => Some(facts),
            Self::Unnamed | Self::Failed(_) => None,
        }
    }
}

/// Everything.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) roles: Vec<Role>,
    pub(super) settings: Settings,
    pub(super) database: Service<Database>,
    pub(super) broker: Service<Broker>,
    pub(super) management: Service<Box<Observed>>,
    pub(super) machine: Machine,
}

/// What is configured. Where a section can't be used, its defaults stand here, so that the rest can be looked at.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) errors: Vec<ConfigError>,
    pub(super) protocol: Protocol,
    pub(super) topology: Topology,
    pub(super) slots: u32,
    /// The broker's `consumer_timeout` as Docket counts on it.
    pub(super) consumer_timeout: Duration,
    /// False: it is said that this site has no broker.
    pub(super) has_broker: bool,
    /// The account and the virtual host of the broker's URL.
    pub(super) account: Option<Account>,
    /// Connections without encryption to other machines: which URL, and whereto.
    pub(super) unencrypted: Vec<(&'static str, String)>,
    /// Whether cities are told how to reach us.
    pub(super) has_contact: bool,
    /// Hosts whose certificates are not verified, and why.
    pub(super) tls_exceptions: Vec<TlsException>,
    /// Models that are asked, and how many days ago their price was written down; none: they have no price.
    pub(super) models: Vec<(String, Option<i32>)>,
}

/// Who talks to the broker.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) vhost: String,
}

/// PostgreSQL.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) identity: Seen<Identity>,
    pub(super) schema: Seen<Schemas>,
    pub(super) rights: Seen<Rights>,
    pub(super) clock: Seen<Clock>,
    pub(super) server: Seen<Server>,
    pub(super) transactions: Seen<Transactions>,
    /// Cities that are followed at their vendors: not those on this machine.
    pub(super) cities: i64,
}

/// Who we are there.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Such as 150020.
    pub(super) version_number: i32,
    /// Such as `15.20 (Debian …)`.
    pub(super) version: String,
    pub(super) user: String,
    pub(super) is_superuser: bool,
}

/// Where the tables are.
#[derive(Clone, Debug)]
pub(super) struct Schemas {
    /// The newest migration that was applied in the current schema.
    pub(super) applied: Seen<Option<i32>>,
    /// The newest of this binary.
    pub(super) newest: i32,
    /// The setting.
    pub(super) search_path: String,
    /// The first of its schemas that exists and may be used.
    pub(super) current: Option<String>,
    /// Those of its schemas that exist and may not be used.
    pub(super) closed: Vec<String>,
    /// All schemas of this database that hold Docket's history of migrations.
    pub(super) homes: Vec<String>,
    /// The one whose table `jobs` is found first.
    pub(super) jobs_in: Option<String>,
}

/// What the account may not do: a table and the right that is missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    pub(super) missing: Vec<(String, String)>,
}

/// The two clocks, compared once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The database's minus the process's, in seconds, at the middle of the round trip.
    pub(super) ahead: f64,
    /// Half of the round trip, in seconds: the comparison is no more exact.
    pub(super) uncertain: f64,
}

/// The server's settings and connections. Times are milliseconds; 0 is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    pub(super) fsync: bool,
    pub(super) full_page_writes: bool,
    pub(super) synchronous_commit: String,
    /// Connections that ordinary accounts may have.
    pub(super) connections_max: i64,
    pub(super) connections_used: i64,
    /// Schedulers and workers that are registered.
    pub(super) registered: i64,
    pub(super) lock_timeout: i64,
    pub(super) idle_session_timeout: i64,
    pub(super) transaction_timeout: i64,
}

/// Transactions of this database that have been open for minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    pub(super) count: i64,
    /// Age of the oldest.
    pub(super) oldest_seconds: i64,
    /// How many of them wait for their client.
    pub(super) idle: i64,
    /// Who has the oldest: user and program.
    pub(super) oldest_of: String,
}

/// RabbitMQ, over AMQP.
#[derive(Debug)]
pub(super) struct Broker {
    /// The version of its greeting.
    pub(super) version: Seen<String>,
    /// The heartbeat that both sides agreed on, in seconds; 0 is none.
    pub(super) heartbeat: Seen<u16>,
    pub(super) topology: Result<(), Vec<TopologyFault>>,
}

/// This machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) address: Address,
    pub(super) poppler: Seen<Poppler>,
    /// What reads images of pages; none: nothing is to.
    pub(super) ocr: Option<OcrState>,
    /// How many files a process may have open.
    pub(super) files: Seen<u64>,
    /// Folders, and how many bytes are free there.
    pub(super) room: Vec<(PathBuf, Seen<u64>)>,
    pub(super) time_zones: Seen<()>,
}

/// Who has the endpoint's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// Port 0: any free one will do.
    Any,
    Free(SocketAddr),
    /// A process of Docket.
    Docket(SocketAddr),
    /// Another process, or why it can't be had.
    Taken(SocketAddr, String),
    /// The setting can't be used.
    Unknown,
}

/// What reads documents.
#[derive(Clone, Debug)]
pub(super) struct Poppler {
    /// Such as `poppler-22.12.0/1`.
    pub(super) version: String,
    /// The tables of poppler-data.
    pub(super) has_tables: bool,
}
