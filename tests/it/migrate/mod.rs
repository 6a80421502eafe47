//! Migrations: of a queue that works, of one that is broken, and of none.

mod backup;
mod conditions;
mod halfway;
mod live;
mod matters;
mod rehearsal;
mod stall;
mod verify;
mod version2;
mod wrapper;

use crate::support::TestDb;
use docket::db::{self, MigrateError, Migration, MigrationSet, Upgrade};
use std::sync::Mutex;

/// Brings a schema to what these files make.
async fn bring(db: &TestDb, files: &[(&str, &str)]) -> Result<Vec<Migration>, MigrateError> {
    bring_to(db, files, None, &Mutex::default()).await
}

/// The same, up to a version, and what was told.
async fn bring_to(
    db: &TestDb,
    files: &[(&str, &str)],
    to: Option<i32>,
    told: &Mutex<Vec<String>>,
) -> Result<Vec<Migration>, MigrateError> {
    let tell = |line: &str| told.lock().unwrap().push(line.to_owned());
    let upgrade = Upgrade { set: MigrationSet::of(files)?, to, tell: &tell, ..Upgrade::default() };
    db::upgrade(&db.config(), &upgrade).await
}

/// The schema's version.
async fn version(db: &TestDb) -> Option<i32> {
    db::applied(&db.connect().await).await.unwrap()
}
