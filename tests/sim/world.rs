//! What all processes of a story share: the ledger, the broker, the dice.

use crate::{broker::Queues, chaos::Chaos, ledger::State, process::Process};
use docket::fleet::settings::Protocol;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::watch;

/// A ledger that breaks one rule, so that the checker has something to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// The protocol as it is.
    None,
    /// Completions look at the status and not at the epoch.
    NoFence,
    /// A dead worker's rows stay its own.
    NoR4,
    /// Messages that the broker lost stay in flight.
    NoR3,
}

pub(crate) struct World {
    ledger: Mutex<State>,
    broker: Mutex<Queues>,
    chaos: Mutex<Chaos>,
    ledger_away: Mutex<bool>,
    /// Something happened in the broker.
    pub(crate) news: watch::Sender<u64>,
    pub(crate) protocol: Protocol,
}

impl World {
    pub(crate) fn new(seed: u64, protocol: Protocol, mutant: Mutant) -> Self {
        Self {
            ledger: Mutex::new(State::new(protocol.clone(), mutant)),
            broker: Mutex::default(),
            chaos: Mutex::new(Chaos::new(seed)),
            ledger_away: Mutex::new(false),
            news: watch::Sender::new(0),
            protocol,
        }
    }

    /// One statement, whole.
    pub(crate) fn ledger<T>(&self, statement: impl FnOnce(&mut State) -> T) -> T {
        statement(&mut self.ledger.lock().unwrap())
    }

    /// One act of the broker; whoever waits for news looks again.
    pub(crate) fn broker<T>(&self, act: impl FnOnce(&mut Queues) -> T) -> T {
        let result = self.look(act);
        self.news.send_modify(|n| *n += 1);
        result
    }

    /// An act of the broker that is no news to others.
    pub(crate) fn look<T>(&self, act: impl FnOnce(&mut Queues) -> T) -> T {
        act(&mut self.broker.lock().unwrap())
    }

    pub(crate) fn chaos(&self) -> MutexGuard<'_, Chaos> {
        self.chaos.lock().unwrap()
    }

    pub(crate) fn is_ledger_away(&self) -> bool {
        *self.ledger_away.lock().unwrap()
    }

    /// Locks die with their connections.
    pub(crate) fn set_ledger_away(&self, away: bool) {
        *self.ledger_away.lock().unwrap() = away;
        if away {
            self.ledger(|s| s.dead_lock = None);
        }
    }

    /// The end of a process: its connections go, and all that hung on them.
    pub(crate) fn kill(&self, process: &Process) {
        process.kill();
        let number = process.number();
        self.broker(|queues| queues.disconnect(Some(number)));
        self.ledger(|s| s.dead_lock = s.dead_lock.filter(|holder| *holder != number));
    }
}
