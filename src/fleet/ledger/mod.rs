//! The ledger: jobs in PostgreSQL, one group of statements a file.

pub(in crate::fleet) mod audit;
pub(in crate::fleet) mod audit_rows;
pub mod breakers;
mod claim;
mod dead;
mod effects;
mod finish;
pub mod gauges;
mod holds;
mod lock;
pub mod operate;
pub mod paces;
mod pg;
mod pick;
mod port;
pub mod read;
mod retention;
mod siblings;
mod sql;
mod statements;
mod sweeps;
mod trials;
mod tx;
mod workers;

pub(in crate::fleet) use lock::locked_session;
pub(in crate::fleet) use pg::classify;
pub use pg::{LedgerConnections, PgLedger};
pub use siblings::siblings;
#[doc(hidden)]
pub use statements::statements;
pub use trials::trials;
pub use tx::PgTx;
