//! Private PostgreSQL and RabbitMQ instances, for `docket dev`, the demo and the tests.
//!
//! With [`city`], a made-up one; [`models`], a made-up model's server; [`mod@bench`], which measures the engine; [`proxy`], [`fleet`] and [`chaos`], which hurt
//! it.
//!
//! They are ordinary processes on free loopback ports, with their data in a directory of their own; no service of the
//! machine is touched. However the starting process ends, nothing is left behind: [`Services::stop`] ends them in
//! order, a small keeper process ends them when the starting process dies, and the next start ends what is left if
//! the keeper was killed too.

pub mod bench;
mod binaries;
pub mod chaos;
pub mod city;
pub mod drill;
pub mod fleet;
mod keeper;
pub mod models;
pub mod monitoring;
mod place;
mod ports;
mod postgres;
mod process;
pub mod proxy;
mod rabbitmq;
mod rabbitmq_config;
mod service;
mod services;
mod state;
mod supervise;
mod usage;

pub use place::UnusableDir;
pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use services::{Services, ServicesSpec, reset};
pub use state::{Down, down, running_env};
