//! The constants of the protocol: each field of [`Protocol`] is a setting.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{BOTH, ROLES, SCHEDULER, WORKER, settings},
    units::show_duration,
};
use crate::fleet::settings::Protocol;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

settings! {
    /// How often a worker says that it lives. Longer: a dead worker is noticed later, because the lease must be three
    /// of them. Shorter: more statements.
    "fleet.heartbeat" "DOCKET_HEARTBEAT" = "3s", Kind::Duration(TICK, MINUTE), WORKER;
    /// How long a heartbeat may be missing before a worker's jobs go to others. Longer: jobs of a dead worker wait
    /// longer. Shorter: a busy worker, or a slow database, looks dead, and work is done twice.
    "fleet.lease" "DOCKET_LEASE" = "15s", Kind::Duration(TICK, HOUR), ROLES;
    /// How often a scheduler looks for what was lost. Longer: everything comes back later. Shorter: more statements.
    "fleet.sweep" "DOCKET_SWEEP" = "1s", Kind::Duration(TICK, MINUTE), SCHEDULER;
    /// How often a scheduler looks for due jobs when nothing tells it of any. Longer: due times are kept less
    /// exactly. Shorter: more statements.
    "fleet.poll" "DOCKET_POLL" = "1s", Kind::Duration(TICK, MINUTE), SCHEDULER;
    /// After how long a message that the broker did not confirm goes back. Longer: a lost publish waits longer.
    /// Shorter: a slow broker gets messages twice, and the second is dropped.
    "fleet.unconfirmed" "DOCKET_UNCONFIRMED" = "10s", Kind::Duration(TICK, HOUR), SCHEDULER;
    /// After how long an unclaimed message's confirm is written down. Longer: fewer writes. Shorter: nearly every
    /// message costs one more.
    "fleet.mark_confirmed_after" "DOCKET_MARK_CONFIRMED_AFTER" = "2s", Kind::Duration(TICK, HOUR), SCHEDULER;
    /// After how long a message that nobody claimed may go back, if its queue holds fewer than the ledger thinks.
    /// Longer: a purged queue's jobs wait longer. Shorter: messages that only wait for a slot are sent twice.
    "fleet.forgotten" "DOCKET_FORGOTTEN" = "1m", Kind::Duration(TICK, HOUR), SCHEDULER;
    /// After how long without an answer to a probe unclaimed messages go back without a count. Longer: a hanging
    /// broker holds jobs longer. Shorter: a slow one looks silent.
    "fleet.silent_broker" "DOCKET_SILENT_BROKER" = "20s", Kind::Duration(TICK, HOUR), SCHEDULER;
    /// At most one probe to a queue in this time. Longer: a broker that is back is noticed later. Shorter: more
    /// traffic while it is away.
    "fleet.probe" "DOCKET_PROBE" = "5s", Kind::Duration(TICK, MINUTE), SCHEDULER;
    /// A publish without an answer for so long makes its band wait. Longer: more jobs are queued at a broker that
    /// hangs. Shorter: a busy broker stops dispatch.
    "fleet.slow_publish" "DOCKET_SLOW_PUBLISH" = "2s", Kind::Duration(TICK, MINUTE), SCHEDULER;
    /// A publish without an answer for so long is unknown, and its channel is opened anew. Longer: a broken channel
    /// is kept longer. Shorter: a slow one is thrown away.
    "fleet.confirm_deadline" "DOCKET_CONFIRM_DEADLINE" = "20s", Kind::Duration(TICK, HOUR), BOTH;
    /// A message that finds no free slot for so long is handed back for another worker. Longer: jobs wait behind slow
    /// ones while others idle. Shorter: more messages go round.
    "fleet.hand_back" "DOCKET_HAND_BACK" = "10s", Kind::Duration(TICK, HOUR), WORKER;
    /// A worker with a free slot and nothing delivered for so long takes jobs straight from the ledger. Longer:
    /// without a broker work begins later. Shorter: idle workers ask the database more often.
    "fleet.direct_lease" "DOCKET_DIRECT_LEASE" = "2s", Kind::Duration(TICK, HOUR), WORKER;
    /// How long a circuit breaker that opened lets nobody through. Longer: work goes on later after an outage. Shorter: a
    /// vendor that is down is asked more often.
    "fleet.breaker_open" "DOCKET_BREAKER_OPEN" = "1m", Kind::Duration(TICK, HOUR), WORKER;
    /// A scheduler that did not look at the heartbeats for so long begins to count anew. Longer: after an outage of
    /// the database workers may look dead. Shorter: a scheduler that stutters never finds a dead worker.
    "fleet.watch_gap" "DOCKET_WATCH_GAP" = "5s", Kind::Duration(TICK, HOUR), SCHEDULER;
    /// Jobs for so much time are queued at the broker. Longer: a new urgent job waits longer behind them. Shorter:
    /// workers may idle between two looks.
    "fleet.window" "DOCKET_WINDOW" = "2s", Kind::Duration(TICK, MINUTE), SCHEDULER;
    /// Most queued jobs of a lane. Higher: a wiped broker has more to bring back. Lower: many fast workers idle.
    "fleet.window_max" "DOCKET_WINDOW_MAX" = "50000", Kind::Count(1, 1_000_000), SCHEDULER;
    /// Jobs in one message at least, where so many of a kind are picked at once, however long they run and however short
    /// the queue is. Higher: jobs wait behind each other. Lower: no different.
    "fleet.pointers_min" "DOCKET_POINTERS_MIN" = "1", Kind::Count(1, 1000), SCHEDULER;
    /// Most jobs in one message: kinds whose jobs run for less than 25 ms travel together when many are queued. Higher:
    /// fewer messages. Lower: more of them; 1: each job in a message of its own.
    "fleet.pointers_max" "DOCKET_POINTERS_MAX" = "100", Kind::Count(1, 1000), SCHEDULER;
    /// Rows of one pick. Higher: fewer, longer statements. Lower: more of them.
    "fleet.pick_rows" "DOCKET_PICK_ROWS" = "1000", Kind::Count(1, 10_000), SCHEDULER;
    /// Most jobs of one claim, completion or failure. Higher: longer transactions. Lower: more of them.
    "fleet.batch" "DOCKET_BATCH" = "1000", Kind::Count(1, 10_000), BOTH;
    /// A job that so many workers died with is only run by a worker that holds nothing else. Higher: a job that kills
    /// workers takes more neighbours with it. Lower: more jobs wait for a worker of their own.
    "fleet.suspect_losses" "DOCKET_SUSPECT_LOSSES" = "2", Kind::Count(2, 100), BOTH;
    /// A job that so many workers died with is a dead letter. Higher: it kills more of them. Lower: a row of bad luck
    /// ends good jobs.
    "fleet.losses_max" "DOCKET_LOSSES_MAX" = "5", Kind::Count(3, 1000), BOTH;
    /// How often the audit compares ledger and broker; at least a lease and the time for which a message may wait for a
    /// slot, whatever is set. Longer: what is lost is told later. Shorter than those: no different.
    "fleet.audit" "DOCKET_AUDIT" = "15s", Kind::Duration(TICK, HOUR), SCHEDULER;
    /// At most one look through docket.dead in this time. Longer: it differs from the ledger for longer. Shorter:
    /// more traffic after many dead letters.
    "fleet.dead_pass" "DOCKET_DEAD_PASS" = "5s", Kind::Duration(TICK, DAY), SCHEDULER;
    /// A look through docket.dead at least this often, whatever the counts say. Longer: rare differences stay.
    /// Shorter: all dead letters are read more often.
    "fleet.dead_audit" "DOCKET_DEAD_AUDIT" = "1h", Kind::Duration(TICK, DAY), SCHEDULER;
    /// How long running jobs may go on at a shutdown. Longer: stops and deployments take longer; what ends the
    /// process must wait longer than this. Shorter: more jobs are begun again elsewhere.
    "fleet.grace" "DOCKET_GRACE" = "25s", Kind::Duration(Duration::ZERO, DAY), WORKER;
    /// Deadline of one database statement of the engine. Longer: a hanging database is noticed later. Shorter: large
    /// batches fail.
    "fleet.statement" "DOCKET_STATEMENT" = "10s", Kind::Duration(TICK, HOUR), ROLES;
    /// No attempt runs longer, whatever its kind allows: the shorter of the two holds. Longer: a job that hangs keeps
    /// its slot longer. Shorter: long jobs fail though they go on well.
    "worker.job_timeout" "DOCKET_JOB_TIMEOUT" = "25m", Kind::Duration(TICK, DAY), WORKER;
    /// Most rows that one step of retention deletes. Higher: longer transactions. Lower: a large table is never
    /// caught up with.
    "retention.rows" "DOCKET_RETENTION_ROWS" = "1000", Kind::Count(1, 100_000), SCHEDULER;
    /// Retention walks through all jobs once in this time. Longer: ended jobs stay longer than they need to. Shorter:
    /// more reading.
    "retention.walk" "DOCKET_RETENTION_WALK" = "10m", Kind::Duration(TICK, DAY), SCHEDULER;
}

macro_rules! fields {
    ($durations:ident: $($duration:ident)*; $numbers:ident: $($number:ident)*;) => {
        /// Takes what is set into `protocol`.
        pub(super) fn read(env: &Environment, protocol: &mut Protocol) -> Result<(), ConfigError> {
            $(protocol.$duration = env.$durations(&variable(stringify!($duration)), protocol.$duration)?;)*
            $(protocol.$number = env.$numbers(&variable(stringify!($number)), protocol.$number)?;)*
            Ok(())
        }

        /// The text of the field that a variable stands for; none: it stands for none.
        pub(super) fn text(protocol: &Protocol, name: &str) -> Option<String> {
            $(if name == variable(stringify!($duration)) { return Some(show_duration(protocol.$duration)); })*
            $(if name == variable(stringify!($number)) { return Some(protocol.$number.to_string()); })*
            None
        }
    };
}

fields! {
    duration: heartbeat lease sweep unconfirmed forgotten silent_broker probe slow_publish confirm_deadline
        mark_confirmed_after hand_back direct_lease watch_gap poll audit dead_pass dead_audit grace statement job_timeout window
        breaker_open retention_walk;
    number: window_max pointers_min pointers_max pick_rows batch losses_max suspect_losses retention_rows;
}

/// The variable of a field.
fn variable(field: &str) -> String {
    format!("DOCKET_{}", field.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogues_defaults_are_the_codes() {
        for setting in SETTINGS {
            assert_eq!(text(&Protocol::default(), setting.variable).as_deref(), setting.default, "{}", setting.key);
        }
    }
}
