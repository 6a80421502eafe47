//! The engine: jobs in PostgreSQL, pointers in RabbitMQ, workers in between. It knows nothing of meetings.
//!
//! In the order of a job's way: [`job`] and [`retry`] are pure; [`handler`] is what the author of a kind writes;
//! [`enqueue`] puts a job into the ledger, and [`gate`] does it for callers from outside; [`scheduler`] dispatches it; [`worker`] runs it; [`dead_letter`] keeps what
//! failed for good, and [`audit`] proves that every job is accounted for. [`ports`] is what these loops need of [`ledger`] and [`broker`].
//!
//! # Example
//!
//! A kind, and a job of it that exists if, and only if, the caller's transaction commits:
//!
//! ```
//! use docket::fleet::{
//!     enqueue::{EnqueueError, enqueue_one},
//!     handler::{Context, ErrorClass, Handler, HandlerError},
//!     job::JobId,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! struct Greet;
//!
//! #[derive(Serialize, Deserialize)]
//! struct GreetArgs {
//!     name: String,
//! }
//!
//! impl Handler for Greet {
//!     type Args = GreetArgs;
//!     type Output = String;
//!     const KIND: &'static str = "greet";
//!
//!     async fn run(&self, args: GreetArgs, _ctx: Context) -> Result<String, HandlerError> {
//!         if args.name.is_empty() {
//!             return Err(HandlerError::non_retryable(ErrorClass::InvalidArgs, "nobody to greet"));
//!         }
//!         Ok(format!("Hello, {}!", args.name))
//!     }
//! }
//!
//! async fn welcome(tx: &tokio_postgres::Transaction<'_>, name: &str) -> Result<JobId, EnqueueError> {
//!     tx.execute("insert into guests (name) values ($1)", &[&name]).await?;
//!     let job = Greet::job(&GreetArgs { name: name.to_owned() })?;
//!     Ok(enqueue_one(tx, job).await?.id())
//! }
//! ```
//!
//! A worker that runs such jobs until it is told to stop. Kinds that write their result in the transaction that
//! completes the job implement [`Effects`](handler::Effects) too, and are registered by
//! [`with_effects`](handler::Registry::with_effects).
//!
//! ```no_run
//! # use docket::fleet::handler::{Context, Handler, HandlerError};
//! # struct Greet;
//! # impl Handler for Greet {
//! #     type Args = String;
//! #     type Output = String;
//! #     const KIND: &'static str = "greet";
//! #     async fn run(&self, name: String, _ctx: Context) -> Result<String, HandlerError> { Ok(name) }
//! # }
//! use docket::{
//!     db,
//!     fleet::{
//!         broker::{AmqpBroker, BrokerSettings},
//!         handler::Registry,
//!         Progress,
//!         ledger::{LedgerConnections, PgLedger},
//!         ports::Retention,
//!         settings::Protocol,
//!         worker::{Worker, WorkerSettings},
//!     },
//! };
//! use std::sync::Arc;
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run() -> anyhow::Result<()> {
//! let protocol = Protocol::default();
//! let database = db::parse_url("postgres://docket@localhost/docket")?;
//! db::migrate(&database).await?;
//! let ledger = PgLedger::new(&database, protocol.clone(), LedgerConnections::default());
//!
//! let shutdown = CancellationToken::new();
//! let amqp = "amqp://docket@localhost/%2f".to_owned().into();
//! let broker = AmqpBroker::start(&amqp, BrokerSettings::from(&protocol), &shutdown)?;
//!
//! let settings = WorkerSettings {
//!     name: "example".to_owned(),
//!     lanes: vec!["default".to_owned()],
//!     slots: 8,
//!     retention: Retention::default(),
//!     progress: Progress::default(),
//! };
//! let wake = db::listen(database, shutdown.clone()).subscribe();
//! let kinds = Arc::new(Registry::new().with(Greet));
//! if let Some(worker) = Worker::start(ledger, broker, kinds, settings, protocol, wake, shutdown.clone()).await? {
//!     worker.stopped().await;
//! }
//! # Ok(())
//! # }
//! ```

pub mod audit;
pub mod breaker;
pub mod broker;
pub mod crash;
pub mod dead_letter;
mod draw;
pub mod enqueue;
pub mod gate;
pub mod handler;
pub mod job;
pub mod ledger;
pub mod pace;
pub mod ports;
mod progress;
pub mod retry;
pub mod scheduler;
pub mod settings;
mod wake;
pub mod worker;

pub use progress::Progress;
