//! The catalogue of faults: real processes over a private PostgreSQL and RabbitMQ, hurt one way after another.
//!
//! ```text
//! cargo test --features crash-points --test faults
//! ```
//!
//! Each test prints a line `FAULT {"id", "what", "measured"}`, seconds unless a name says something else, and holds the
//! fleet to the same promise: `support/promise.rs`. They run one after another, whatever the number of test threads, and
//! need root for namespaces and small disks.

mod broker;
mod clock;
mod crash;
mod database;
mod network;
mod operators;
mod process;
mod support;
