//! `AmqpBroker` against a real RabbitMQ: what the loops of the fleet rely on.
//!
//! Needs `DOCKET_TEST_AMQP_URL` (with user and password, without virtual host) and `DOCKET_TEST_MANAGEMENT_URL`. The
//! tests in `faults` also stop and start the node: `DOCKET_TEST_RABBITMQ_CTL` is a rabbitmqctl for it, and
//! `DOCKET_TEST_RABBITMQ_START` a command that starts it in the background.

mod connection;
mod consume;
mod dead;
mod faults;
mod publish;
mod support;
mod topology;
