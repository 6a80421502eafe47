//! What every role exports besides what its work counts: pools, the schema's version, counters at 0.

use super::role::Process;
use crate::{
    civic::model::Vendor,
    db::{self, Pool},
    fleet::handler::{Component, ErrorClass},
    telemetry::{Known, Owner, names::SCHEMA_MIGRATIONS, touch},
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often the schema's version is looked at.
const LOOK: Duration = Duration::from_secs(30);
/// A look that takes longer tells nothing.
const PATIENCE: Duration = Duration::from_secs(3);

/// What stands behind circuit breakers, as their metrics name it: vendors, and all models together.
pub(super) fn behind_breakers() -> impl Iterator<Item = &'static str> {
    Vendor::ALL.iter().map(|vendor| vendor.as_str()).chain(["model"])
}

impl Process {
    /// Exports a pool's gauges.
    pub(super) fn sample(&self, name: &'static str, pool: &Pool) {
        let pool = pool.clone();
        self.metrics.at_render(move || db::sample(name, &pool));
    }

    /// Registers this role's counters at 0.
    pub(super) fn born_at_zero(&self, owners: &[Owner], kinds: &[&str], models: &[&str]) {
        let lanes: Vec<&str> = self.fleet.topology.lanes().iter().map(String::as_str).collect();
        let components: Vec<&str> = Component::ALL.iter().map(|c| c.as_str()).collect();
        let error_classes: Vec<&str> = ErrorClass::ALL.iter().map(|c| c.as_str()).collect();
        let vendors: Vec<&str> = Vendor::ALL.iter().map(|v| v.as_str()).collect();
        let breakers: Vec<&str> = behind_breakers().collect();
        let (lanes, components, error_classes, vendors) =
            (&lanes[..], &components[..], &error_classes[..], &vendors[..]);
        touch(owners, &Known { kinds, lanes, components, error_classes, vendors, breakers: &breakers, models });
    }

    /// A database that was restored from an old dump lacks migrations; one that was upgraded has more than this binary knows.
    pub(super) async fn watch_schema(self) {
        loop {
            let version = timeout(PATIENCE, async {
                let connection = self.pool.get().await.ok()?;
                db::applied(&connection).await.ok()
            });
            // What could not be asked stays as it was told last.
            if let Ok(Some(database)) = version.await {
                let (database, binary) = (database.unwrap_or(0), db::newest());
                for (state, count) in [("missing", binary - database), ("unknown", database - binary)] {
                    metrics::gauge!(SCHEMA_MIGRATIONS, "state" => state).set(count.max(0));
                }
            }
            if self.shutdown.run_until_cancelled(sleep(LOOK)).await.is_none() {
                return;
            }
        }
    }
}
