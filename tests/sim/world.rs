//! What all processes of a story share: the ledger, the broker, the dice, the witness.

use crate::{
    broker::Queues,
    chaos::Chaos,
    history::History,
    ledger::State,
    mutant::Mutant,
    process::{Blow, Cause, Process},
};
use docket::fleet::{
    job::{Epoch, JobId},
    settings::Protocol,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

/// What the handlers saw: evidence beside the ledger's own.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// How often each job was begun.
    pub(crate) begun: BTreeMap<JobId, u32>,
    /// The attempts that were begun.
    pub(crate) attempts: BTreeSet<(JobId, Epoch)>,
    /// Those that were begun once more.
    pub(crate) twice: Vec<(JobId, Epoch)>,
    /// The attempts whose handler came to its end without an error.
    pub(crate) done: BTreeSet<(JobId, Epoch)>,
}

pub(crate) struct World {
    ledger: Mutex<State>,
    broker: Mutex<Queues>,
    chaos: Mutex<Chaos>,
    witness: Mutex<Witness>,
    ledger_away: Mutex<bool>,
    /// Something happened in the broker.
    pub(crate) news: Notify,
    pub(crate) history: Arc<History>,
    pub(crate) protocol: Protocol,
    pub(crate) mutant: Mutant,
}

impl World {
    pub(crate) fn new(seed: u64, protocol: Protocol, mutant: Mutant, is_told: bool) -> Self {
        let history = Arc::new(History::new(is_told));
        Self {
            ledger: Mutex::new(State::new(protocol.clone(), mutant, history.clone())),
            broker: Mutex::new(Queues::new(history.clone())),
            chaos: Mutex::new(Chaos::new(seed)),
            witness: Mutex::default(),
            ledger_away: Mutex::new(false),
            news: Notify::new(),
            history,
            protocol,
            mutant,
        }
    }

    /// One statement, whole.
    pub(crate) fn ledger<T>(&self, statement: impl FnOnce(&mut State) -> T) -> T {
        statement(&mut self.ledger.lock().unwrap())
    }

    /// One act of the broker; whoever waits for news looks again.
    pub(crate) fn broker<T>(&self, act: impl FnOnce(&mut Queues) -> T) -> T {
        let result = self.look(act);
        self.news.notify_waiters();
        result
    }

    /// An act of the broker that is no news to others.
    pub(crate) fn look<T>(&self, act: impl FnOnce(&mut Queues) -> T) -> T {
        act(&mut self.broker.lock().unwrap())
    }

    pub(crate) fn chaos(&self) -> MutexGuard<'_, Chaos> {
        self.chaos.lock().unwrap()
    }

    pub(crate) fn witness<T>(&self, act: impl FnOnce(&mut Witness) -> T) -> T {
        act(&mut self.witness.lock().unwrap())
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

    /// Everything that a process does to the outside goes through here, before and after.
    pub(crate) async fn gate(self: &Arc<Self>, process: &Process) {
        match process.burn() {
            Some(Blow::Kill) => self.kill(process, Cause::Kill),
            Some(Blow::Freeze(time)) => self.freeze(process, time),
            Some(Blow::Stop) => self.stop(process),
            None => {}
        }
        process.pass().await;
    }

    /// The end of a process: its connections go, and all that hung on them.
    pub(crate) fn kill(&self, process: &Process, cause: Cause) {
        if process.is_dead() {
            return;
        }
        match cause {
            Cause::Kill => self.history.count("kill", &[process.number().cast_signed()]),
            Cause::Poison => self.history.count("kill by a job", &[process.number().cast_signed()]),
            _ => self.history.note("end", &[process.number().cast_signed()]),
        }
        self.blame(process, cause);
        process.kill();
        self.disconnect(process);
    }

    /// SIGSTOP: what it does to the outside waits. After a while the others take its connections for dead.
    pub(crate) fn freeze(self: &Arc<Self>, process: &Process, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.history.count("stall", &[process.number().cast_signed(), millis]);
        self.blame(process, Cause::Stall);
        let (dreams, patience) = {
            let mut chaos = self.chaos();
            (chaos.chance(0.7), chaos.millis(5000..25_000))
        };
        let dream = if dreams { self.ledger(|s| s.dream(process.number())) } else { None };
        process.freeze(Instant::now() + time, dream);
        let (world, process) = (self.clone(), process.clone());
        tokio::spawn(async move {
            sleep(patience).await;
            if process.is_frozen() && !process.is_dead() {
                world.disconnect(&process);
            }
        });
    }

    /// SIGTERM.
    pub(crate) fn stop(&self, process: &Process) {
        self.history.count("drain", &[process.number().cast_signed()]);
        self.blame(process, Cause::End);
        process.stop().cancel();
    }

    /// What the process will have lost its jobs by, if it does: a death counts more than what came before it.
    fn blame(&self, process: &Process, cause: Cause) {
        self.ledger(|s| {
            let blamed = s.causes.entry(process.number()).or_insert(cause);
            if matches!(cause, Cause::Kill | Cause::Poison) {
                *blamed = cause;
            }
        });
    }

    fn disconnect(&self, process: &Process) {
        let number = process.number();
        self.broker(|queues| queues.disconnect(Some(number)));
        self.ledger(|s| s.dead_lock = s.dead_lock.filter(|holder| *holder != number));
    }
}
