//! What was done, and what was refused and why.

use super::{super::read, select::BATCH};
use crate::fleet::job::{Epoch, JobId, Status};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use tokio_postgres::{Error, GenericClient};

/// A job that the act changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Done {
    /// The row.
    pub id: JobId,
    /// Its epoch now.
    #[schema(value_type = i32)]
    pub epoch: Epoch,
    /// Its state now. After a cancel it may still be `processing`: its worker has been asked to stop.
    pub status: Status,
}

/// A job that the act left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Refused {
    /// The row that was asked for.
    pub id: JobId,
    /// Why.
    #[serde(flatten)]
    pub because: RefusedBecause,
}

/// Why an act left a job as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error, utoipa::ToSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum RefusedBecause {
    /// There is no such row: it never was, or retention deleted it.
    #[error("there is no such job")]
    NotFound,
    /// The act is not legal in its state.
    #[error("it is {status}")]
    WrongStatus {
        /// Its state.
        status: Status,
    },
    /// Undo: no requeue to undo, or it has started since.
    #[error("it was not requeued, or has started since")]
    NotRequeued,
    /// Cancel: its worker has been asked before.
    #[error("its worker has been asked to stop already")]
    AlreadyAsked,
}

/// The answer to an act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Acted {
    /// Changed.
    pub done: Vec<Done>,
    /// Left as they are.
    pub refused: Vec<Refused>,
}

/// Runs `statement` (ids, actor → id, epoch, status) in batches, and explains what it left out.
pub(super) async fn act<C: GenericClient + Sync>(
    client: &C,
    statement: &str,
    ids: &[JobId],
    actor: &str,
    explain: impl Fn(Status) -> RefusedBecause,
) -> Result<Acted, Error> {
    let mut acted = Acted::default();
    let mut ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    for batch in ids.chunks(BATCH) {
        let rows = client.query(statement, &[&batch, &actor]).await?;
        let done =
            rows.iter().map(|row| Done { id: JobId(row.get(0)), epoch: row.get(1), status: read::status(row.get(2)) });
        let first = acted.done.len();
        acted.done.extend(done);
        let changed: HashSet<i64> = acted.done[first..].iter().map(|done| done.id.0).collect();
        let left: Vec<i64> = batch.iter().copied().filter(|id| !changed.contains(id)).collect();
        if !left.is_empty() {
            acted.refused.extend(reasons(client, &left, &explain).await?);
        }
    }
    acted.done.sort_unstable_by_key(|done| done.id);
    Ok(acted)
}

async fn reasons<C: GenericClient + Sync>(
    client: &C,
    left: &[i64],
    explain: &impl Fn(Status) -> RefusedBecause,
) -> Result<Vec<Refused>, Error> {
    let rows = client.query("select id, status::text from jobs where id = any($1)", &[&left]).await?;
    let found: HashMap<i64, Status> = rows.iter().map(|row| (row.get(0), read::status(row.get(1)))).collect();
    let because = |id| found.get(id).map_or(RefusedBecause::NotFound, |&status| explain(status));
    Ok(left.iter().map(|id| Refused { id: JobId(*id), because: because(id) }).collect())
}
