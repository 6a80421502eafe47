//! Systems that break one rule of the protocol each, so that the checker has something to find.
//!
//! The loops are the real ones in all of them: what is broken is what a ledger, or a broker, does with what they ask.

/// Which rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// None: the protocol as it is.
    None,
    /// A completion ends its job whatever became of the job meanwhile.
    NoFence,
    /// A completion looks at the status and not at the epoch.
    StatusFence,
    /// Effects are committed by a transaction of their own, before the completion.
    LooseEffects,
    /// A dead worker's rows stay its own.
    NoR4,
    /// What a worker was given and does not know of stays its own.
    NoR6,
    /// What the broker lost, or never got, stays in flight.
    NoR1R2R3,
    /// What the broker lost stays in flight.
    NoR3,
    /// A worker is dead when its lease is over by the database's wall clock.
    WallLeases,
    /// A message is old by the database's wall clock.
    WallSweeps,
    /// A job that ends badly has its whole message refused, and what lies in docket.dead is dead.
    NackWhole,
    /// A job that kills its workers travels and runs beside others, however often it did.
    NoSuspects,
}
