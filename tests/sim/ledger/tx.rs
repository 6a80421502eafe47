//! A transaction as an overlay: nothing of it is in the tables before the commit.

use super::State;
use docket::fleet::{
    handler::Context,
    job::{Epoch, JobId, MessageId, NewJob},
    ports::Completion,
};
use std::collections::HashSet;

/// The completions, and what the effects wrote.
#[derive(Debug)]
pub(crate) struct SimTx {
    batch: Vec<Completion>,
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
    /// The jobs that the fence lets pass.
    pub(crate) fn begin(&self, batch: Vec<Completion>, spent: Vec<MessageId>) -> (SimTx, HashSet<JobId>) {
        let (batch, fenced): (Vec<_>, Vec<_>) = batch.into_iter().partition(|one| self.passes(one));
        fenced.iter().for_each(|one| self.history.count("fenced", &[one.id.0]));
        let ours = batch.iter().map(|one| one.id).collect();
        self.history.add("effects together", if batch.len() > 1 { batch.len() } else { 0 });
        (SimTx { batch, spent, effects: Vec::new(), families: Vec::new() }, ours)
    }

    /// False: another statement changed a row meanwhile. In PostgreSQL that one would have waited for the row's lock; here
    /// it wins, and the transaction ends as a deadlock's victim does.
    pub(crate) fn commit(&mut self, tx: SimTx) -> bool {
        if !tx.batch.iter().all(|one| self.passes(one)) {
            return false;
        }
        self.complete(&tx.batch, &[]);
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
