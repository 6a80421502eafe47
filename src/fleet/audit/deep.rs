//! The audit of every row of one lane that rests: what no message carries is in no list that a sweep reads.

use super::verdict::{Class, Verdict};
use crate::fleet::{
    job::Band,
    ledger::audit_rows::{Stray, give_back, resting, scan},
    ports::Broker,
};
use tokio_postgres::{Client, Error};

/// Why a lane is not audited row by row.
#[derive(Debug, thiserror::Error)]
pub enum DeepError {
    /// It works.
    #[error(
        "lane {lane} is not paused: docket lanes pause {lane}, and wait until nothing of it is queued or processing"
    )]
    NotPaused {
        /// The lane.
        lane: String,
    },
    /// It is paused, and not at rest yet.
    #[error(
        "lane {lane} has {messages} messages in flight: wait until docket lanes list shows none queued or processing"
    )]
    InFlight {
        /// The lane.
        lane: String,
        /// Messages and leases.
        messages: i64,
    },
    /// The database refused or is away.
    #[error("{}", crate::db::describe(.0))]
    Database(#[from] Error),
}

/// Reads every row of a lane, in small steps.
///
/// A queued or processing row that no message carries is counted (as missing, or as a stale lease) and goes back to pending
/// without cost; whoever still runs it is refused by the fence. What the lane's queues still hold has no row: ghosts.
///
/// # Errors
/// The lane is not paused, or has something in flight; the database fails.
pub async fn deep<B: Broker>(client: &Client, broker: &B, lane: &str) -> Result<Verdict, DeepError> {
    let rest = resting(client, lane).await?;
    if !rest.paused {
        return Err(DeepError::NotPaused { lane: lane.to_owned() });
    }
    if rest.messages > 0 {
        return Err(DeepError::InFlight { lane: lane.to_owned(), messages: rest.messages });
    }
    let mut verdict = Verdict::default();
    let mut from = Some(0);
    while let Some(after) = from {
        let step = scan(client, lane, after).await?;
        give_back(client, &step.strays).await?;
        let queued = step.strays.iter().filter(|Stray { queued, .. }| *queued).count() as u64;
        verdict.missing += queued;
        verdict.stale_lease += step.strays.len() as u64 - queued;
        verdict.checked_jobs += step.rows;
        from = step.next;
    }
    for band in Band::ALL {
        // No probe: a worker may not be there to take it away again.
        match broker.depth(lane, band).await {
            Ok(ready) => verdict.ghost += ready,
            Err(_) if verdict.unjudged.is_empty() => verdict.unjudged.push(Class::Ghost.as_str().to_owned()),
            Err(_) => {}
        }
    }
    Ok(verdict.concluded())
}
