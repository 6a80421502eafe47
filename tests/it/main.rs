//! The integration tests: one binary, so that they link once and share one private PostgreSQL and RabbitMQ.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

mod api;
mod bench;
mod broker;
mod civic;
mod cli;
mod demo;
mod dev;
mod docs;
mod documents;
mod edges;
mod fixtures;
mod fleet;
mod http;
mod infra;
mod isolation;
mod migrate;
mod observe;
mod operate;
mod read;
mod support;
mod systemd;
mod vendor;
