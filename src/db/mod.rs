//! PostgreSQL: pool, prepared statements, migrations, LISTEN.

mod connect;
mod error;
mod listen;
mod migrate;
mod pool;
mod record;
mod sample;
mod statements;

pub use connect::{DbUrlError, connect, parse_url};
pub use error::{describe, is_passing};
pub use listen::{Notifications, listen};
pub use migrate::{
    BackupError, Drift, DriftKind, Expected, MigrateError, Migration, MigrationSet, Outcome, Planned, PlannedStep,
    Rehearsal, Rehearsed, State, TableLock, Tell, Trial, Tried, Upgrade, Verification, applied, migrate, migrations,
    newest, plan, rehearse, upgrade, verify,
};
pub use pool::{Pool, PoolOptions, PoolPurpose, pool};
pub use record::record;
pub use sample::sample;
pub use statements::{Params, Statements};
