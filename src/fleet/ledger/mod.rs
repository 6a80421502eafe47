//! The ledger: jobs in PostgreSQL, one group of statements a file.

pub mod gauges;
pub mod operate;
pub mod read;
mod tx;

pub use tx::PgTx;
