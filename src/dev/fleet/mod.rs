//! A private fleet of real processes over private services, to be hurt.
//!
//! [`Fleet`] owns the services and the [`Member`]s: processes of the real binary, each with [proxies](crate::dev::proxy) of
//! its own in front of PostgreSQL and RabbitMQ, so that one of them can be cut off while the others go on. What ends the
//! fleet, also a kill -9 of this process, ends them all.
//!
//! - services: [`Fleet::postgres`] and [`Fleet::rabbitmq`] kill, stop, start, wipe them; they keep their ports, so members
//!   and proxies find them again. [`Fleet::management`] purges and deletes queues, sets policies, publishes forgeries;
//! - members: kill -9, SIGTERM, SIGSTOP, exit codes, logs, metrics;
//! - [`Fleet::config`] and [`Fleet::amqp_url`] lead to the services past all proxies: for whoever looks on.

mod member;
mod services;
mod spec;

pub use member::Member;
pub use services::{Fleet, terminate_backends};
pub use spec::{FleetSpec, MemberSpec};
