//! `AmqpBroker` against a real RabbitMQ: what the loops of the fleet rely on. Tests of `faults` and `alarm` have a node
//! of their own, which they hurt.

mod alarm;
mod connection;
mod consume;
mod dead;
mod faults;
mod management;
mod proxy;
mod publish;
mod quiet;
pub(crate) mod support;
mod topology;
