//! The ledger: jobs in PostgreSQL, one group of statements a file.

mod tx;

pub use tx::PgTx;
