//! The constants of the protocol, all of them configuration.

use std::time::Duration;

/// Times and bounds that scheduler, worker and sweeps keep to. The defaults are those of docs/ARCHITECTURE.md;
/// [`Protocol::five_times_shorter`] is for tests.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    /// A worker says that it lives this often.
    pub heartbeat: Duration,
    /// A worker whose heartbeat stood still for so long has lost its jobs (R4).
    pub lease: Duration,
    /// The sweeps run this often.
    pub sweep: Duration,
    /// R1: a message that was not confirmed for so long goes back.
    pub unconfirmed: Duration,
    /// R3: a message that was published and not claimed for so long may go back.
    pub forgotten: Duration,
    /// R3: a probe that is unanswered for so long lets rows go back without a count.
    pub silent_broker: Duration,
    /// At most one probe to a queue in this time.
    pub probe: Duration,
    /// A publish that is unanswered for so long makes its band wait.
    pub slow_publish: Duration,
    /// A publish that is unanswered for so long is unknown, and its channel is reopened.
    pub confirm_deadline: Duration,
    /// Messages that are still unclaimed after this time get their confirm marked.
    pub mark_confirmed_after: Duration,
    /// A delivery that finds no slot for so long is handed back.
    pub hand_back: Duration,
    /// A worker with an idle slot and nothing delivered for so long leases directly.
    pub direct_lease: Duration,
    /// A gap between two looks at the heartbeats longer than this restarts the watch.
    pub watch_gap: Duration,
    /// A scheduler polls at least this often, NOTIFY or not.
    pub poll: Duration,
    /// The audit looks this often; at least a lease, and longer than a delivery may wait for a slot.
    pub audit: Duration,
    /// R5: at most one pass over docket.dead in this time.
    pub dead_pass: Duration,
    /// R5: a pass at least this often.
    pub dead_audit: Duration,
    /// At shutdown, running jobs may go on for so long.
    pub grace: Duration,
    /// Deadline of one database statement.
    pub statement: Duration,
    /// No attempt runs longer, whatever its kind allows.
    pub job_timeout: Duration,
    /// The window of queued jobs covers claims of this much time.
    pub window: Duration,
    /// The window never exceeds this many queued jobs a lane.
    pub window_max: i64,
    /// Pointers in one message at least, where so many jobs of a kind are picked at once.
    pub pointers_min: i32,
    /// Most pointers in one message.
    pub pointers_max: i32,
    /// Rows of one pick.
    pub pick_rows: i32,
    /// Jobs of one claim, completion or failure statement.
    pub batch: usize,
    /// A job with this many losses is a dead letter.
    pub losses_max: i16,
    /// A job with this many losses is a suspect.
    pub suspect_losses: i16,
    /// A circuit breaker that opened lets nobody through for so long.
    pub breaker_open: Duration,
    /// Retention deletes this many rows a step at most.
    pub retention_rows: i32,
    /// Retention walks the table once in this time.
    pub retention_walk: Duration,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(3),
            lease: Duration::from_secs(15),
            sweep: Duration::from_secs(1),
            unconfirmed: Duration::from_secs(10),
            forgotten: Duration::from_mins(1),
            silent_broker: Duration::from_secs(20),
            probe: Duration::from_secs(5),
            slow_publish: Duration::from_secs(2),
            confirm_deadline: Duration::from_secs(20),
            mark_confirmed_after: Duration::from_secs(2),
            hand_back: Duration::from_secs(10),
            direct_lease: Duration::from_secs(2),
            watch_gap: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            audit: Duration::from_secs(15),
            dead_pass: Duration::from_secs(5),
            dead_audit: Duration::from_hours(1),
            grace: Duration::from_secs(25),
            statement: Duration::from_secs(10),
            job_timeout: Duration::from_mins(25),
            window: Duration::from_secs(2),
            window_max: 50_000,
            pointers_min: 1,
            pointers_max: 100,
            pick_rows: 1000,
            batch: 1000,
            losses_max: 5,
            suspect_losses: 2,
            breaker_open: Duration::from_mins(1),
            retention_rows: 1000,
            retention_walk: Duration::from_mins(10),
        }
    }
}

impl Protocol {
    /// The same protocol at five times its speed: the profile of the tests. Bounds, and the deadlines of a statement
    /// and of an attempt, stay as they are.
    #[must_use]
    pub fn five_times_shorter() -> Self {
        let mut short = Self::default();
        for time in short.times_mut() {
            *time /= 5;
        }
        short
    }

    fn times_mut(&mut self) -> [&mut Duration; 21] {
        [
            &mut self.heartbeat,
            &mut self.lease,
            &mut self.sweep,
            &mut self.unconfirmed,
            &mut self.forgotten,
            &mut self.silent_broker,
            &mut self.probe,
            &mut self.slow_publish,
            &mut self.confirm_deadline,
            &mut self.mark_confirmed_after,
            &mut self.hand_back,
            &mut self.direct_lease,
            &mut self.watch_gap,
            &mut self.poll,
            &mut self.audit,
            &mut self.dead_pass,
            &mut self.dead_audit,
            &mut self.grace,
            &mut self.window,
            &mut self.breaker_open,
            &mut self.retention_walk,
        ]
    }
}
