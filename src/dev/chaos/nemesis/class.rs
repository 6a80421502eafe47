//! The classes of faults.

macro_rules! classes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)*) => {
        /// A class of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::dev::chaos) enum Class { $($(#[doc = $doc])+ $name,)* }

        impl Class {
            /// Every class.
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in the evidence.
            pub(in crate::dev::chaos) const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

classes! {
    /// kill -9 of a worker.
    KillWorker = "kill_worker";
    /// kill -9 of a scheduler.
    KillScheduler = "kill_scheduler";
    /// kill -9 of all workers at once.
    KillAllWorkers = "kill_all_workers";
    /// SIGSTOP of a worker for longer than its lease.
    StallWorker = "stall_worker";
    /// SIGSTOP of a scheduler for longer than a worker's lease.
    StallScheduler = "stall_scheduler";
    /// SIGTERM of a worker, which drains.
    Restart = "restart_worker";
    /// An operator cancels jobs, whatever they do.
    CancelStorm = "cancel_storm";
    /// kill -9 of the broker.
    KillBroker = "kill_broker";
    /// The broker is away for longer.
    BrokerAway = "broker_away";
    /// kill -9 of the broker, and its data removed.
    Wipe = "wipe";
    /// All that the broker holds is deleted and made again while it runs.
    Reborn = "reborn";
    /// The queues are purged.
    Purge = "purge";
    /// A queue is deleted under its consumers, and made again.
    DeleteQueue = "delete_queue";
    /// A memory alarm: the broker holds back publishers.
    Alarm = "alarm";
    /// An administrator closes all connections.
    CloseConnections = "close_connections";
    /// A heap of messages that no scheduler wrote.
    Garbage = "garbage";
    /// kill -9 of the database.
    KillDatabase = "kill_database";
    /// A fast restart of the database.
    RestartDatabase = "restart_database";
    /// An administrator terminates all sessions, again and again.
    TerminateBackends = "terminate_backends";
    /// Commits whose answer is lost, and commits that never arrive.
    CutCommit = "cut_commit";
    /// Confirms that are lost, and publishes that never arrive.
    CutConfirm = "cut_confirm";
    /// Direct leases whose answer is lost.
    LoseLease = "lose_lease";
    /// A worker is cut off from the database for longer than its lease.
    CutOff = "cut_off_database";
    /// A worker is cut off from the broker.
    CutOffBroker = "cut_off_broker";
    /// A worker's network is slow.
    Slow = "slow_network";
    /// A worker's connections go silent and are never closed.
    Silence = "silence";
    /// A scheduler's network comes and goes.
    Flap = "flapping_network";
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
