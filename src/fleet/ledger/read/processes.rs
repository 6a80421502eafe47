//! Workers and schedulers, for people.

use crate::fleet::job::WorkerId;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Error, GenericClient, Row};

/// Whoever beats, and whoever has signed off last. What a worker holds stands in the messages: history is not read.
const PROCESSES: &str = "\
select w.id, w.name, w.slots, w.state, w.lanes, w.started_at, w.beat_at, extract(epoch from now() - w.beat_at)::float8,
       (select coalesce(sum(cardinality(m.jobs)), 0)::bigint from job_messages m where m.worker_id = w.id)
from workers w where $1 or w.state <> 'gone' order by w.id desc limit 200";

/// A process of the fleet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProcessRow {
    /// Its number, new at each start.
    pub id: WorkerId,
    /// Host and process.
    pub name: String,
    /// `worker` or `scheduler`.
    pub role: &'static str,
    /// `up`, `draining`, `dead` (it was silent for a lease) or `gone` (it signed off).
    pub state: String,
    /// How many jobs a worker runs at once.
    pub slots: i32,
    /// The lanes of a worker.
    pub lanes: Vec<String>,
    /// Jobs that it holds: those that run, and those of the same messages.
    pub holds: i64,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it was last heard of.
    pub beat_at: Option<Timestamp>,
    /// How long ago that is, by the database's clock.
    pub silent_seconds: f64,
}

/// The 200 latest, the newest first; with those that signed off only if asked.
///
/// # Errors
/// When the database fails.
pub async fn processes<C: GenericClient + Sync>(client: &C, with_gone: bool) -> Result<Vec<ProcessRow>, Error> {
    Ok(client.query(PROCESSES, &[&with_gone]).await?.iter().map(process).collect())
}

fn process(row: &Row) -> ProcessRow {
    let slots = row.get(2);
    ProcessRow {
        id: WorkerId(row.get(0)),
        name: row.get(1),
        role: if slots == 0 { "scheduler" } else { "worker" },
        state: row.get(3),
        slots,
        lanes: row.get(4),
        started_at: row.get(5),
        beat_at: row.get(6),
        silent_seconds: row.get(7),
        holds: row.get(8),
    }
}
