//! Deletes what is old enough: a walk along the table in small steps, with a rest between two of them.

use super::shared::Shared;
use crate::fleet::{
    job::JobId,
    ports::{Broker, Ledger, Retention},
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Between two steps: the walk must not be felt.
const REST: Duration = Duration::from_millis(50);

pub(super) async fn run<L: Ledger, B: Broker>(shared: Arc<Shared<L, B>>, keep: Retention) {
    let mut from = JobId(0);
    loop {
        let pause = match shared.ledger.retention(from, shared.protocol.retention_rows, &keep).await {
            Ok(step) => {
                from = step.next.unwrap_or(JobId(0));
                if step.next.is_some() { REST } else { shared.protocol.retention_walk }
            }
            Err(error) => {
                shared.put_off.tell("retention", &error);
                shared.protocol.poll
            }
        };
        tokio::select! {
            biased;
            () = shared.shutdown.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}
