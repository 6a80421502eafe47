//! RabbitMQ: the only folder that names lapin.
//!
//! [`Topology`] names what the broker must hold and [`definitions`] writes it for the broker to import. [`AmqpBroker`]
//! is the [`Broker`](super::ports::Broker) of the fleet. From the outside in:
//!
//! - `amqp` answers the port; `runner` owns the thread and the runtime that the connections live on;
//! - `supervisor` keeps a role's connection (`connect`, `session`) open for ever, `status` tells how it goes,
//!   `news` what of it the log tells;
//! - `publisher` publishes with confirms (`message` out, `flight` under way, `verdict` back);
//! - `consumer` is a lane's subscription, `dead_pass` a pass over docket.dead, `inspect` and `check` ask questions;
//! - `optional` is all this, or nothing, for sites that have no broker;
//! - [`management`] asks and orders what AMQP can't, over the management API;
//! - [`mod@plan`] compares what it tells with the topology, `apply` does the plan's steps, [`version`] is what is known
//!   of RabbitMQ's versions.
//!
//! A publish is never repeated here, and a delivery can only be acknowledged on the channel that it came by.

mod amqp;
mod apply;
mod backoff;
mod check;
mod connect;
mod consumer;
mod dead_pass;
mod definitions;
mod endpoint;
mod flight;
mod greeting;
mod headers;
mod inspect;
pub mod management;
mod message;
mod news;
mod optional;
pub mod plan;
mod publisher;
mod runner;
mod session;
mod settings;
mod status;
mod supervisor;
mod topology;
mod verdict;
pub mod version;

pub use amqp::AmqpBroker;
pub use apply::{ApplyError, Pruned, apply, prune};
pub use check::TopologyFault;
pub use consumer::AmqpSubscription;
pub use dead_pass::AmqpDeadPass;
pub use definitions::{BrokerUser, definitions};
pub use endpoint::virtual_host;
pub use greeting::greeting;
pub use message::Message;
pub use optional::OptionalBroker;
pub use settings::BrokerSettings;
pub use status::BrokerStatus;
pub use topology::{DEAD, JOBS_EXCHANGE, Topology, TopologyError, generation_exchange, queue_name};
