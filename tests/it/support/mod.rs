//! What the integration tests share.

mod db;
mod examples;
mod ledger;
mod roles;
mod services;
mod tiny;
mod vhost;

pub(crate) use db::TestDb;
pub(crate) use examples::{examples, run_example};
pub(crate) use ledger::{TestLedger, metrics, sum};
pub(crate) use roles::login;
pub(crate) use services::services;
pub(crate) use tiny::Tiny;
pub(crate) use vhost::TestVhost;

/// A name that no other test, and no other run, has.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}
