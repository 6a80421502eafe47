//! Docket: a worker fleet that ingests civic meetings.
//!
//! The modules, from the top down; an arrow never points back up (`tests/architecture` holds it):
//! `cli` → [`dev`] → [`config`] → [`http`] → [`civic`] → [`fleet`] → [`db`] → [`telemetry`].

pub mod civic;
pub mod cli;
pub mod config;
pub mod db;
pub mod dev;
pub mod fleet;
pub mod http;
pub mod telemetry;
