//! A transaction as an overlay: nothing of it is in the tables before the commit.

use super::State;
use docket::fleet::{
    handler::Context,
    job::{Epoch, JobId, MessageId, NewJob},
    ports::Completion,
};

/// The completion, and what the effects wrote.
#[derive(Debug)]
pub(crate) struct SimTx {
    completion: Completion,
    spent: Vec<MessageId>,
    effects: Vec<(JobId, Epoch)>,
    jobs: Vec<NewJob>,
}

impl SimTx {
    /// A row that tells that this attempt's effects were applied.
    pub(crate) fn write(&mut self, ctx: &Context) {
        self.effects.push((ctx.job, ctx.epoch));
    }

    pub(crate) fn enqueue(&mut self, job: NewJob) {
        self.jobs.push(job);
    }
}

impl State {
    /// None: the fence refuses. A mutant's fence lets everything pass that is being processed.
    pub(crate) fn begin(&self, completion: Completion, spent: Vec<MessageId>) -> Option<SimTx> {
        self.passes(&completion).then_some(SimTx { completion, spent, effects: Vec::new(), jobs: Vec::new() })
    }

    /// False: another statement changed the row meanwhile. In PostgreSQL that one would have waited for the row's lock; here
    /// it wins, and the transaction ends as a deadlock's victim does.
    pub(crate) fn commit(&mut self, tx: SimTx) -> bool {
        if self.complete(std::slice::from_ref(&tx.completion), &[]).is_empty() {
            return false;
        }
        for message in &tx.spent {
            self.messages.remove(message);
        }
        self.effects.extend(tx.effects);
        for job in tx.jobs {
            self.insert(job);
        }
        true
    }
}
