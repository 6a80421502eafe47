//! The real binary: what it prints, and how it ends.

mod audit;
mod config;
mod database;
mod doctor;
mod enqueue;
mod files;
mod healthcheck;
mod help;
mod matters;
mod metrics;
mod operate;
pub(crate) mod process;
mod roles;
mod server;
mod topology;
