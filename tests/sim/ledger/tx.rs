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
    families: Vec<(NewJob, Vec<NewJob>)>,
}

impl SimTx {
    /// A row that tells that this attempt's effects were applied.
    pub(crate) fn write(&mut self, ctx: &Context) {
        self.effects.push((ctx.job, ctx.epoch));
    }

    pub(crate) fn enqueue(&mut self, parent: NewJob, children: Vec<NewJob>) {
        self.families.push((parent, children));
    }

    /// For the mutant that commits the effects before the completion: they are no longer part of this.
    pub(super) fn split(&mut self) -> Vec<(JobId, Epoch)> {
        std::mem::take(&mut self.effects)
    }
}

impl State {
    /// None: the fence refuses.
    pub(crate) fn begin(&self, completion: Completion, spent: Vec<MessageId>) -> Option<SimTx> {
        if !self.passes(&completion) {
            self.history.count("fenced", &[completion.id.0]);
            return None;
        }
        Some(SimTx { completion, spent, effects: Vec::new(), families: Vec::new() })
    }

    /// False: another statement changed the row meanwhile. In PostgreSQL that one would have waited for the row's lock; here
    /// it wins, and the transaction ends as a deadlock's victim does.
    pub(crate) fn commit(&mut self, tx: SimTx) -> bool {
        if self.complete(std::slice::from_ref(&tx.completion), &[]).is_empty() {
            return false;
        }
        self.spend(&tx.spent);
        self.effects.extend(tx.effects);
        for (parent, children) in tx.families {
            self.insert_family(parent, children);
        }
        true
    }

    /// A job and its children, in one transaction.
    pub(crate) fn insert_family(&mut self, parent: NewJob, children: Vec<NewJob>) {
        let id = self.insert(parent, None);
        for child in children {
            self.insert(child.child_of(id), None);
        }
    }
}
