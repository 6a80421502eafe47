//! The classes of faults.

use rand::{Rng, rngs::StdRng};

macro_rules! classes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $weight:literal;)*) => {
        /// A class of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::dev::chaos) enum Class { $($(#[doc = $doc])+ $name,)* }

        impl Class {
            /// Its name in the evidence.
            pub(in crate::dev::chaos) const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        const WEIGHTS: &[(Class, u32)] = &[$((Class::$name, $weight)),*];
    };
}

classes! {
    /// kill -9 of a worker.
    KillWorker = "kill_worker", 6;
    /// kill -9 of a scheduler.
    KillScheduler = "kill_scheduler", 4;
    /// kill -9 of all workers at once.
    KillAllWorkers = "kill_all_workers", 2;
    /// SIGSTOP of a worker for longer than its lease.
    StallWorker = "stall_worker", 3;
    /// SIGSTOP of a scheduler for longer than a worker's lease.
    StallScheduler = "stall_scheduler", 2;
    /// SIGTERM of a worker, which drains.
    Restart = "restart_worker", 3;
    /// A job that kills its worker.
    DeadlyJob = "deadly_job", 2;
    /// An operator cancels jobs, whatever they do.
    CancelStorm = "cancel_storm", 3;
    /// kill -9 of the broker.
    KillBroker = "kill_broker", 3;
    /// The broker is away for longer.
    BrokerAway = "broker_away", 1;
    /// kill -9 of the broker, and its data removed.
    Wipe = "wipe", 2;
    /// All that the broker holds is deleted and made again while it runs.
    Reborn = "reborn", 2;
    /// The queues are purged.
    Purge = "purge", 2;
    /// A queue is deleted under its consumers, and made again.
    DeleteQueue = "delete_queue", 2;
    /// A memory alarm: the broker holds back publishers.
    Alarm = "alarm", 2;
    /// An administrator closes all connections.
    CloseConnections = "close_connections", 3;
    /// A heap of messages that no scheduler wrote.
    Garbage = "garbage", 3;
    /// kill -9 of the database.
    KillDatabase = "kill_database", 3;
    /// A fast restart of the database.
    RestartDatabase = "restart_database", 3;
    /// An administrator terminates all sessions, again and again.
    TerminateBackends = "terminate_backends", 3;
    /// Commits whose answer is lost, and commits that never arrive.
    CutCommit = "cut_commit", 5;
    /// Confirms that are lost, and publishes that never arrive.
    CutConfirm = "cut_confirm", 5;
    /// Direct leases whose answer is lost.
    LoseLease = "lose_lease", 2;
    /// A worker is cut off from the database for longer than its lease.
    CutOff = "cut_off_database", 3;
    /// A worker is cut off from the broker.
    CutOffBroker = "cut_off_broker", 3;
    /// A worker's network is slow.
    Slow = "slow_network", 3;
    /// A worker's connections go silent and are never closed.
    Silence = "silence", 3;
    /// A scheduler's network comes and goes.
    Flap = "flapping_network", 2;
}

/// What every run plays, besides the kill of a service.
pub(super) const FIXED: [Class; 10] = [
    Class::KillWorker,
    Class::KillScheduler,
    Class::StallWorker,
    Class::CutOff,
    Class::Wipe,
    Class::Reborn,
    Class::Purge,
    Class::CutCommit,
    Class::CutConfirm,
    Class::LoseLease,
];

/// One by its weight.
pub(super) fn draw(random: &mut StdRng) -> Class {
    let mut draw = random.random_range(0..WEIGHTS.iter().map(|(_, weight)| weight).sum());
    for (class, weight) in WEIGHTS {
        if draw < *weight {
            return *class;
        }
        draw -= weight;
    }
    Class::KillWorker
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::collections::HashSet;

    #[test]
    fn each_class_comes_and_a_seed_draws_the_same() {
        let draws = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            (0..2_000).map(|_| draw(&mut random).name()).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        let names: HashSet<_> = draws(1).into_iter().collect();
        assert_eq!(names.len(), WEIGHTS.len());
    }
}
