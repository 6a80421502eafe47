//! What the loops need from the outside: a [`Ledger`] and a [`Broker`].
//!
//! The scheduler, the worker and the sweeps are generic over both. The real ones are
//! [`PgLedger`](super::ledger::PgLedger) and [`AmqpBroker`](super::broker::AmqpBroker); tests bring simulated ones.
//! Every method is a whole step of the protocol: one statement, or one round trip.

use super::{
    handler::ErrorClass,
    job::{Band, Envelope, Epoch, Hold, JobId, MessageId, Pointer, Status, WorkerId},
};
use serde_json::Value;
use std::{collections::HashSet, future::Future, time::Duration};
use uuid::Uuid;

// ------------------------------------------------------------------------------------------------ errors

/// Why a ledger call gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The statement may or may not have been committed: connection lost, or no answer in time.
    #[error("the ledger did not answer: {0}")]
    Unknown(String),
    /// Nothing was committed: no connection could be had.
    #[error("the ledger is away: {0}")]
    Unavailable(String),
    /// Nothing was committed: a deadlock or a serialization failure. Repeat without cost.
    #[error("the ledger asks to repeat: {0}")]
    Repeat(String),
    /// Nothing was committed: the database refuses the statement.
    #[error("the ledger refuses: {0}")]
    Refused(String),
}

impl LedgerError {
    /// Whether the statement may have been committed.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// Why a broker call failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BrokerError {
    /// No connection, or it was lost meanwhile.
    #[error("the broker is away: {0}")]
    Away(String),
    /// No answer in time.
    #[error("the broker did not answer within {0:?}")]
    Timeout(Duration),
    /// The broker's topology is not what Docket needs.
    #[error("{0}")]
    Topology(String),
    /// Any other refusal.
    #[error("the broker refuses: {0}")]
    Refused(String),
}

// ------------------------------------------------------------------------------------------------ values

/// A picked job, as the headers of its message tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Row and epoch.
    pub pointer: Pointer,
    /// Priority of the row.
    pub priority: i16,
    /// Failures so far.
    pub failures: i16,
    /// Failures until it is a dead letter.
    pub max_attempts: i16,
    /// Its trace.
    pub trace_id: Option<Uuid>,
}

/// One broker message to be published: a row of `job_messages` and its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The row of `job_messages`.
    pub message: MessageId,
    /// Lane of all its jobs.
    pub lane: String,
    /// Band of all its jobs.
    pub band: Band,
    /// Kind of all its jobs.
    pub kind: String,
    /// At least one.
    pub jobs: Vec<Picked>,
}

/// What a scheduler wants to dispatch.
#[derive(Clone, Debug)]
pub struct PickRequest<'a> {
    /// From this lane.
    pub lane: &'a str,
    /// At most this many rows (and a tenth more: the oldest).
    pub rows: i32,
    /// Kinds that a live worker of the lane knows, each with the largest number of pointers in one message.
    pub kinds: &'a [(String, i32)],
    /// Bands whose publishes are healthy.
    pub bands: &'a [Band],
    /// The broker generation that the message will be part of.
    pub generation: i32,
}

/// A job that this worker now holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The row.
    pub id: JobId,
    /// Its epoch while it is processed: the fence of every write about it.
    pub epoch: Epoch,
    /// The message or lease that it came by.
    pub message: MessageId,
    /// Its kind.
    pub kind: String,
    /// Its lane.
    pub lane: String,
    /// Its arguments.
    pub args: Value,
    /// Version of the arguments.
    pub args_version: i16,
    /// Its priority.
    pub priority: i16,
    /// Failures in this round, before this attempt.
    pub failures: i16,
    /// Losses in this round, before this attempt.
    pub losses: i16,
    /// Failures until it is a dead letter.
    pub max_attempts: i16,
    /// Its trace.
    pub trace_id: Option<Uuid>,
    /// The job that waits for it.
    pub parent: Option<JobId>,
    /// From when it could have run to its claim.
    pub waited: Duration,
}

/// A job done.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// What the handler returned.
    pub output: Value,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// False: `failed` at once.
    pub retryable: bool,
    /// What kind of error.
    pub class: ErrorClass,
    /// What happened, cut to a few KiB.
    pub error: String,
    /// How long it waits if it is tried again.
    pub delay: Duration,
}

/// What a failure made of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The row.
    pub id: JobId,
    /// Its new epoch.
    pub epoch: Epoch,
    /// `pending` (to be tried again), `failed`, `dead_letter`, or `cancelled` when that had been asked.
    pub status: Status,
    /// Its new priority.
    pub priority: i16,
    /// Failures so far, this one included.
    pub failures: i16,
    /// The broker generation that this very transaction saw.
    pub generation: i32,
}

/// A job given back without cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// Why it is not due again at once.
    pub hold: Option<ReleaseHold>,
}

/// A hold that comes with a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseHold {
    /// The reason.
    pub hold: Hold,
    /// What frees it, such as a host name.
    pub key: Option<String>,
    /// When it is due at the latest.
    pub delay: Option<Duration>,
}

/// A job that its own handler gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discard {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// Why.
    pub reason: String,
}

/// Who a worker is.
#[derive(Clone, Debug)]
pub struct WorkerSpec {
    /// For people: host and process id.
    pub name: String,
    /// Jobs at once.
    pub slots: i32,
    /// Lanes that it serves; a scheduler has none.
    pub lanes: Vec<String>,
    /// Kinds that it knows.
    pub kinds: Vec<String>,
}

/// A row that the ledger thinks a worker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeldRow {
    /// Message or lease.
    pub message: MessageId,
    /// The row.
    pub id: JobId,
    /// Its epoch.
    pub epoch: Epoch,
    /// An operator asked to cancel it.
    pub cancel_requested: bool,
}

/// The ledger's answer to a heartbeat.
#[derive(Clone, Debug, Default)]
pub struct Beat {
    /// What the ledger thinks this worker holds.
    pub held: Vec<HeldRow>,
    /// A suspect of the worker's lanes and kinds is due.
    pub suspect_due: bool,
    /// Workers of the lanes that beat lately, this one included; at least 1.
    pub live_workers: i64,
}

/// A row of `workers`, for those who watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    /// The row.
    pub id: WorkerId,
    /// The heartbeat's counter. Watched with the reader's own clock.
    pub beat: i64,
    /// Jobs at once; 0 for a scheduler.
    pub slots: i32,
    /// Lanes; empty for a scheduler.
    pub lanes: Vec<String>,
    /// Kinds that it knows.
    pub kinds: Vec<String>,
    /// False: it drains, and takes nothing more.
    pub takes_work: bool,
}

/// What of a lane is on its way to a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Distinct unclaimed messages.
    pub messages: i64,
    /// Jobs in them.
    pub jobs: i64,
    /// The oldest of these messages.
    pub oldest: Option<MessageId>,
}

/// Jobs that a sweep gave back, or ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages taken out of flight.
    pub messages: u64,
    /// Jobs back to pending.
    pub rescued: u64,
    /// Jobs that ended as dead letters: R5 publishes their copies.
    pub dead_letters: u64,
}

/// Which unclaimed messages go back to pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep<'a> {
    /// R1: not confirmed, and older than this watermark.
    Unconfirmed(MessageId),
    /// R2: of a broker generation before this one.
    OlderGeneration(i32),
    /// R3: of this lane and band, and older than this watermark, confirmed or not.
    Forgotten(&'a str, Band, MessageId),
}

/// A dead letter that docket.dead lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The row.
    pub id: JobId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its kind.
    pub kind: String,
    /// Its lane.
    pub lane: String,
    /// What kind of error ended it.
    pub error_class: String,
    /// The last error.
    pub error: String,
    /// Failures in its last round.
    pub failures: i16,
    /// Losses in its last round.
    pub losses: i16,
    /// Its priority at the end.
    pub priority: i16,
    /// Failures until it was a dead letter.
    pub max_attempts: i16,
    /// Its trace.
    pub trace_id: Option<Uuid>,
}

/// A message that nobody can read, kept for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Where it came from.
    pub queue: String,
    /// Why it is here.
    pub reason: String,
    /// Up to 64 KiB of the body.
    pub body: Vec<u8>,
    /// Its headers, as text, bounded likewise.
    pub headers: String,
}

/// How long ended jobs are kept. Dead letters are kept until an operator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Completed jobs.
    pub completed: Duration,
    /// Failed and cancelled jobs.
    pub failed: Duration,
    /// Kinds whose completed jobs are kept for another time.
    pub kinds: Vec<(String, Duration)>,
}

/// One step of the retention walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionStep {
    /// Where the next step goes on; none: the walk is at the end.
    pub next: Option<JobId>,
    /// Rows deleted.
    pub deleted: u64,
}

// ------------------------------------------------------------------------------------------------ ledger

/// A result that the ledger may not have given.
pub type LedgerResult<T> = Result<T, LedgerError>;

/// PostgreSQL, as the loops see it. Zero rows for an (id, epoch) means: refused by the fence.
pub trait Ledger: Clone + Send + Sync + 'static {
    /// A transaction that effects are written in.
    type Tx: Send + 'static;

    // -- scheduler
    /// Point 1: due rows become queued, grouped into messages.
    fn pick(&self, request: PickRequest<'_>) -> impl Future<Output = LedgerResult<Vec<Dispatch>>> + Send;
    /// Unclaimed messages back to pending: nacked, returned, or handed back by a worker that has no slot.
    fn hand_back(&self, messages: &[MessageId]) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Marks messages that are confirmed and still unclaimed.
    fn mark_confirmed(&self, messages: &[MessageId]) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Unclaimed messages of a lane, by band (high, normal, low).
    fn in_flight(&self, lane: &str) -> impl Future<Output = LedgerResult<[InFlight; 3]>> + Send;
    /// Whether the lane has a due job, and for how long its first one has been due.
    fn oldest_due(&self, lane: &str) -> impl Future<Output = LedgerResult<Option<Duration>>> + Send;

    // -- sweeps
    /// A number above every message id given so far. What is below one that I saw ten seconds ago is ten seconds old,
    /// whatever any wall clock says.
    fn watermark(&self) -> impl Future<Output = LedgerResult<MessageId>> + Send;
    /// R1 to R3: at most `bound` messages.
    fn sweep(&self, sweep: Sweep<'_>, bound: i32) -> impl Future<Output = LedgerResult<Swept>> + Send;
    /// R4: what these workers held, losses + 1; at most `bound` messages a call. Zero messages: done.
    fn reap(&self, workers: &[WorkerId], bound: i32) -> impl Future<Output = LedgerResult<Swept>> + Send;
    /// All workers and schedulers that have not signed off.
    fn workers(&self) -> impl Future<Output = LedgerResult<Vec<WorkerRow>>> + Send;
    /// Holds whose time has come become due, and parents whose children have all ended; at most `bound` each.
    fn lift_due(&self, bound: i32) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Lifts `paused` and `unknown_kind` of these kinds.
    fn lift_kinds(&self, kinds: &[String], bound: i32) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Holds due rows near the head of a lane whose kind is paused, or is known to no live worker.
    fn park(&self, lane: &str, known: &[String], paused: &[String]) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// The paused kinds.
    fn paused_kinds(&self) -> impl Future<Output = LedgerResult<Vec<String>>> + Send;
    /// Deletes ended rows that are older than their retention: one bounded step along the primary key.
    fn retention(
        &self,
        from: JobId,
        rows: i32,
        keep: &Retention,
    ) -> impl Future<Output = LedgerResult<RetentionStep>> + Send;

    // -- dead letters and the broker's generation
    /// Dead letters without a copy in this generation of the broker.
    fn dead_missing(&self, generation: i32, bound: i32) -> impl Future<Output = LedgerResult<Vec<DeadLetter>>> + Send;
    /// Marks copies as confirmed in this generation.
    fn dead_mark(&self, dead: &[Pointer], generation: i32) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Which of these still are dead letters at that epoch.
    fn dead_still(&self, dead: &[Pointer]) -> impl Future<Output = LedgerResult<HashSet<Pointer>>> + Send;
    /// The dead letters that are marked as published in this generation, up to `bound`: what docket.dead should hold.
    fn dead_marked(&self, generation: i32, bound: i32) -> impl Future<Output = LedgerResult<HashSet<Pointer>>> + Send;
    /// Dead letters, counted.
    fn dead_count(&self, generation: i32) -> impl Future<Output = LedgerResult<DeadCount>> + Send;
    /// Takes the mark off again: the copy is missing.
    fn dead_unmark(&self, dead: &[Pointer]) -> impl Future<Output = LedgerResult<()>> + Send;
    /// One holder at a time does R5. True: this caller holds the lock until `release_dead_lock` or its connection ends.
    fn try_dead_lock(&self) -> impl Future<Output = LedgerResult<bool>> + Send;
    /// Gives the lock back.
    fn release_dead_lock(&self) -> impl Future<Output = ()> + Send;
    /// The generation that the ledger knows.
    fn generation(&self) -> impl Future<Output = LedgerResult<i32>> + Send;
    /// Compare-and-set to the next generation. False: someone else was first.
    fn advance_generation(&self, from: i32) -> impl Future<Output = LedgerResult<bool>> + Send;
    /// Keeps an unreadable message; the table is bounded.
    fn quarantine(&self, message: &Quarantined) -> impl Future<Output = LedgerResult<()>> + Send;

    // -- worker
    /// A new row of `workers`.
    fn register(&self, spec: &WorkerSpec) -> impl Future<Output = LedgerResult<WorkerId>> + Send;
    /// The heartbeat, on a connection of its own.
    fn beat(&self, worker: WorkerId) -> impl Future<Output = LedgerResult<Beat>> + Send;
    /// Announces that the worker takes nothing more.
    fn drain(&self, worker: WorkerId) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Signs off. The worker holds nothing any more.
    fn deregister(&self, worker: WorkerId) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Point 4: claims what these messages point to. `repeat`: an earlier call had no answer.
    fn claim(
        &self,
        worker: WorkerId,
        messages: &[Envelope],
        repeat: bool,
    ) -> impl Future<Output = LedgerResult<Vec<Claimed>>> + Send;
    /// Point 1, second target: due rows become processing without the broker. Never a suspect.
    fn lease(
        &self,
        worker: WorkerId,
        lane: &str,
        kinds: &[String],
        rows: i32,
    ) -> impl Future<Output = LedgerResult<Vec<Claimed>>> + Send;
    /// One suspect, for a worker that holds nothing else.
    fn lease_suspect(
        &self,
        worker: WorkerId,
        lane: &str,
        kinds: &[String],
    ) -> impl Future<Output = LedgerResult<Option<Claimed>>> + Send;
    /// Ends jobs of kinds without effects. `spent`: messages of which nothing is left. Returns those not fenced off.
    fn complete(
        &self,
        batch: &[Completion],
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;
    /// Books failures.
    fn fail(&self, batch: &[Failure], spent: &[MessageId]) -> impl Future<Output = LedgerResult<Vec<Failed>>> + Send;
    /// Gives jobs back without cost. Returns those not fenced off.
    fn release(
        &self,
        batch: &[Release],
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;
    /// Cancels jobs: their handler gave them up, or an operator did and their attempt has stopped.
    fn discard(
        &self,
        batch: &[Discard],
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;
    /// Deletes message rows of which nothing is left.
    fn forget(&self, spent: &[MessageId]) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Which of these rows still are at that epoch, in processing: the look after an unknown commit.
    fn still_held(&self, rows: &[Pointer]) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;

    // -- effects
    /// Opens a transaction and writes the completion first: it locks the row. None: refused by the fence, and rolled back.
    fn begin_effects(
        &self,
        completion: &Completion,
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<Option<Self::Tx>>> + Send;
    /// Commits completion and effects together.
    fn commit(&self, tx: Self::Tx) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Undoes both.
    fn rollback(&self, tx: Self::Tx) -> impl Future<Output = ()> + Send;
}

/// Dead letters, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadCount {
    /// Rows in `dead_letter`.
    pub dead: i64,
    /// Of these, without a copy in this generation of the broker.
    pub unpublished: i64,
    /// How often a job has left `dead_letter`, ever.
    pub left: i64,
}

// ------------------------------------------------------------------------------------------------ broker

/// What became of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublishOutcome {
    /// In the queue, durably.
    Confirmed,
    /// Refused by the queue.
    Nacked,
    /// No queue took it.
    Returned,
    /// Nobody knows. Never publish the same again.
    Unknown,
}

impl PublishOutcome {
    /// All outcomes.
    pub const ALL: [Self; 4] = [Self::Confirmed, Self::Nacked, Self::Returned, Self::Unknown];

    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Nacked => "nacked",
            Self::Returned => "returned",
            Self::Unknown => "unknown",
        }
    }
}

/// A message to a band of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Jobs for workers.
    Jobs(Dispatch),
    /// A message without jobs, whose confirm proves that the queue lives.
    Probe {
        /// To this lane.
        lane: String,
        /// To this band.
        band: Band,
    },
    /// The copy of a dead letter, to docket.dead.
    Dead(DeadLetter),
}

/// A message that a worker received.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The broker's tag within this subscription.
    pub tag: u64,
    /// The band whose queue it came from.
    pub band: Band,
    /// The body.
    pub body: Vec<u8>,
    /// The headers as text, for quarantine.
    pub headers: String,
}

/// How many unacknowledged messages each band's consumer may hold (high, normal, low).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefetch(pub [u16; 3]);

/// What to acknowledge at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acks {
    /// This tag and all before it.
    pub up_to: Option<u64>,
    /// These tags only.
    pub single: Vec<u64>,
}

/// A lane's three consumers on one channel. Its end is a fault: subscribe again.
pub trait Subscription: Send + 'static {
    /// The next delivery. None: the subscription is over, whatever the reason. Safe to drop while waiting.
    fn next(&mut self) -> impl Future<Output = Option<Delivery>> + Send;
    /// Acknowledges.
    fn ack(&mut self, acks: Acks) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Stops new deliveries; those that are here stay and can be acknowledged.
    fn cancel(&mut self) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Closes the channel: what was not acknowledged returns to its queue.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// A message of docket.dead.
#[derive(Clone, Debug)]
pub struct DeadMessage {
    /// The broker's tag within this pass.
    pub tag: u64,
    /// `id:epoch` of the copy, if it is one.
    pub pointer: Option<Pointer>,
    /// The body.
    pub body: Vec<u8>,
    /// The headers as text, for quarantine.
    pub headers: String,
}

/// One pass over docket.dead: what is not acknowledged returns at the end.
pub trait DeadPass: Send {
    /// The next message; none: the queue is empty.
    fn next(&mut self) -> impl Future<Output = Result<Option<DeadMessage>, BrokerError>> + Send;
    /// Removes it from the queue.
    fn ack(&mut self, tag: u64) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Ends the pass and returns what was kept.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// RabbitMQ, as the loops see it. Each call has a deadline of its own; none retries.
pub trait Broker: Clone + Send + Sync + 'static {
    /// A lane's consumers.
    type Subscription: Subscription;
    /// A pass over docket.dead.
    type DeadPass: DeadPass;

    /// True: the publishing channel is open, not blocked, and not in backoff.
    fn can_publish(&self) -> bool;
    /// Publishes and waits for the broker's answer.
    fn publish(&self, message: Outgoing) -> impl Future<Output = PublishOutcome> + Send;
    /// Messages ready in a band's queue. 0 is no proof: see the design's R3.
    fn depth(&self, lane: &str, band: Band) -> impl Future<Output = Result<u64, BrokerError>> + Send;
    /// Messages ready in docket.dead.
    fn dead_depth(&self) -> impl Future<Output = Result<u64, BrokerError>> + Send;
    /// Whether the broker has this generation's exchange. An error means: unknown, change nothing.
    fn has_generation(&self, generation: i32) -> impl Future<Output = Result<bool, BrokerError>> + Send;
    /// Declares a generation's exchange.
    fn declare_generation(&self, generation: i32) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Consumes the three bands of a lane.
    fn subscribe(
        &self,
        lane: &str,
        prefetch: Prefetch,
    ) -> impl Future<Output = Result<Self::Subscription, BrokerError>> + Send;
    /// Starts a pass over docket.dead.
    fn dead_pass(&self) -> impl Future<Output = Result<Self::DeadPass, BrokerError>> + Send;
}
