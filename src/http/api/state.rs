//! What the routes work with.

use super::Database;
use crate::fleet::gate::Gate;
use axum::extract::FromRef;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bulk requests at once: each may hold its whole body in memory.
const BULK_AT_ONCE: usize = 4;

/// What the routes work with.
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) database: Database,
    pub(super) gate: Arc<Gate>,
    /// The lanes of the configuration.
    pub(super) lanes: Arc<[String]>,
    pub(super) bulk: Arc<Semaphore>,
}

impl Api {
    /// Reads and operators' acts go to `database`, new jobs through `gate`.
    #[must_use]
    pub fn new(database: Database, gate: Gate, lanes: &[String]) -> Self {
        Self { database, gate: Arc::new(gate), lanes: lanes.into(), bulk: Arc::new(Semaphore::new(BULK_AT_ONCE)) }
    }
}

impl FromRef<Api> for Database {
    fn from_ref(api: &Api) -> Self {
        api.database.clone()
    }
}
