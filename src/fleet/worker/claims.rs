//! A lane's claims on their way.

use super::{claim, intake::Waiting, shared::Shared};
use crate::fleet::ports::{Broker, Ledger};
use std::{panic::resume_unwind, sync::Arc};
use tokio::{sync::OwnedSemaphorePermit, task::JoinSet};

/// Claims at once.
const AT_ONCE: usize = 2;

/// Claims of one lane, at most [`AT_ONCE`]. Tasks of their own: each has a connection of the ledger, the lane's loop goes on
/// meanwhile, and the database has something to do while one of them waits for its disk.
#[derive(Default)]
pub(super) struct Claims {
    tasks: JoinSet<Claim>,
    /// Which session it is: a claim may outlast the one that brought its messages.
    session: u64,
}

/// What became of a claim: whether it was answered, and the deliveries that are settled by that, of which session.
struct Claim {
    is_answered: bool,
    tags: Vec<u64>,
    session: u64,
}

/// What a claim's end means for the deliveries of today's session.
pub(super) enum ClaimEnd {
    /// These are settled.
    Settled(Vec<u64>),
    /// No answer came: what was taken out is neither claimed nor to be acknowledged.
    Unanswered,
}

impl Claims {
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// One claim after another; beside one a further one only if what `waits` fills it. Many small ones would cost the
    /// database more than they save.
    pub(super) fn may_start<'a>(&self, waits: impl Iterator<Item = &'a Waiting>, full: usize) -> bool {
        match self.tasks.len() {
            0 => true,
            AT_ONCE.. => false,
            _ => waits.map(|waiting| waiting.envelope.jobs.len()).sum::<usize>() >= full,
        }
    }

    pub(super) fn start<L: Ledger, B: Broker>(
        &mut self,
        shared: Arc<Shared<L, B>>,
        batch: Vec<Waiting>,
        permits: Vec<OwnedSemaphorePermit>,
    ) {
        let session = self.session;
        self.tasks.spawn(async move {
            let is_answered = claim::claim(&shared, &batch, permits).await;
            Claim { is_answered, tags: batch.iter().map(|waiting| waiting.tag).collect(), session }
        });
    }

    /// The next one that ends; none: no claim is on its way. A panic in it is one of the lane's loop: the worker ends, and
    /// R4 gives back what it had.
    pub(super) async fn next(&mut self) -> Option<ClaimEnd> {
        // Nobody aborts a claim.
        let claim = self.tasks.join_next().await?.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        Some(match claim {
            // Its deliveries came by another channel: there is nothing to acknowledge, and nothing to give up.
            Claim { session, .. } if session != self.session => ClaimEnd::Settled(Vec::new()),
            Claim { is_answered: true, tags, .. } => ClaimEnd::Settled(tags),
            Claim { is_answered: false, .. } => ClaimEnd::Unanswered,
        })
    }

    /// The session is over: its deliveries will come again.
    pub(super) fn new_session(&mut self) {
        self.session += 1;
    }
}
