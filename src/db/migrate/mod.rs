//! Schema migrations: numbered SQL files, embedded, checksummed, applied under an advisory lock.
//!
//! A file runs in one transaction, or, where it must not stop a fleet that works, in the steps that its own comments
//! name; `migrations/README.md` says how to write one. refinery embeds the files and knows their checksums; the table of
//! its history is the one that is kept here. What it lacks is the rest: a lock, steps, patience with other locks.

mod affected;
mod apply;
mod backup;
mod catalogue;
mod drift;
mod error;
mod history;
mod lock;
mod patience;
mod plan;
mod rehearsal;
mod script;
mod set;
mod steps;
mod trial;
mod up;
mod verify;

pub use drift::{Drift, DriftKind};
pub use error::{BackupError, MigrateError};
pub use history::{Migration, State, applied};
pub use plan::{Planned, PlannedStep, plan};
pub use rehearsal::{Rehearsal, Rehearsed, TableLock, rehearse};
pub use set::MigrationSet;
pub use trial::{Expected, Outcome, Trial, Tried};
pub use up::{Tell, Upgrade, migrate, migrations, newest, upgrade};
pub use verify::{Verification, verify};
