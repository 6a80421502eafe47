//! The ledger: jobs in PostgreSQL, one group of statements a file.

mod claim;
mod dead;
mod effects;
mod finish;
mod holds;
mod pg;
mod pick;
mod port;
mod retention;
mod sql;
mod sweeps;
mod tx;
mod workers;

pub use pg::{LedgerConnections, PgLedger};
pub use tx::PgTx;
