//! What the ledger's tables must refuse, for `docket migrate verify`: every illegal state, step, shape and null.

use crate::{
    db::{Expected, Trial},
    fleet::job::{Status, is_legal},
};

/// The version that has all of it.
const SINCE: i32 = 3;
/// The version that can pause a lane.
const LANES_SINCE: i32 = 5;
/// The version whose guard asks a requeue for a new round, and that keeps the audit's verdict.
const ROUNDS_SINCE: i32 = 6;
/// The version in which workers tell how long jobs run.
const RUN_TIMES_SINCE: i32 = 7;

/// The job of a trial. In a subquery: it is looked up once, by key.
const JOB: &str = "id = (select lastval())";
const INSERT: &str = "insert into jobs (kind) values ('docket.verify')";

/// Tables of which one row, made here, shows that no column may lose its value: since which version,
/// its name, insert, which row, columns.
const ROWS: &[(i32, &str, &str, &str, &str)] = &[
    (
        SINCE,
        "jobs",
        INSERT,
        JOB,
        "created_at epoch status priority base_priority failures losses max_attempts round cancel_requested counted \
         args_version kind lane args",
    ),
    (
        SINCE,
        "job_messages",
        "insert into job_messages (id, band, lane, kind, jobs) values (-1, 1, 'default', 'docket.verify', '{}')",
        "id = -1",
        "id queued_at band lane kind jobs",
    ),
    (
        SINCE,
        "job_attempts",
        "insert into job_attempts (job_id, epoch, round, attempt, outcome) values (-1, 0, 0, 1, 'failed')",
        "job_id = -1",
        "job_id epoch ended_at round attempt outcome",
    ),
    (
        SINCE,
        "job_events",
        "insert into job_events (job_id, epoch, event) values (-1, 0, 'docket.verify')",
        "job_id = -1",
        "job_id at epoch event",
    ),
    (
        SINCE,
        "workers",
        "insert into workers (slots, name, lanes, kinds) values (0, 'docket.verify', '{}', '{}')",
        "id = (select lastval())",
        "beat beat_at started_at slots state name lanes kinds",
    ),
    (
        RUN_TIMES_SINCE,
        "workers",
        "insert into workers (slots, name, lanes, kinds) values (0, 'docket.verify', '{}', '{}')",
        "id = (select lastval())",
        "run_us",
    ),
    (
        SINCE,
        "paused_kinds",
        "insert into paused_kinds (kind) values ('docket.verify')",
        "kind = 'docket.verify'",
        "kind paused_at",
    ),
    (
        LANES_SINCE,
        "paused_lanes",
        "insert into paused_lanes (lane) values ('docket.verify')",
        "lane = 'docket.verify'",
        "lane paused_at",
    ),
    (SINCE, "broker_state", "select 1", "one", "one generation dead_left"),
    (
        ROUNDS_SINCE,
        "audit_verdict",
        "insert into audit_verdict (verdict) values ('{}') on conflict do nothing",
        "one",
        "one judged_at verdict",
    ),
    (
        SINCE,
        "quarantine",
        "insert into quarantine (queue, reason, headers, body) values ('q', 'docket.verify', '', '')",
        "id = (select lastval())",
        "at queue reason headers body",
    ),
];

/// What else is illegal: in words, a statement after [`INSERT`].
const SHAPES: &[(&str, &str)] = &[
    ("a job's unknown status", "update jobs set status = 'lost', epoch = 1 where id = (select lastval())"),
    ("a job's unknown hold", "update jobs set hold = 'mood' where id = (select lastval())"),
    (
        "a job that starts queued",
        "insert into jobs (kind, status, message_id, queued_at) values ('docket.verify', 'queued', 1, now())",
    ),
    ("a job that starts at epoch 1", "insert into jobs (kind, epoch) values ('docket.verify', 1)"),
    ("pending with a message", "update jobs set message_id = 1 where id = (select lastval())"),
    ("pending and finished", "update jobs set finished_at = now() where id = (select lastval())"),
    ("pending with a dead letter's copy", "update jobs set dead_published_gen = 0 where id = (select lastval())"),
    ("a priority above 1000", "update jobs set priority = 1001 where id = (select lastval())"),
    ("a base priority below -1000", "update jobs set base_priority = -1001 where id = (select lastval())"),
    ("no attempts at all", "update jobs set max_attempts = 0 where id = (select lastval())"),
    ("fewer failures than none", "update jobs set failures = -1 where id = (select lastval())"),
    ("fewer losses than none", "update jobs set losses = -1 where id = (select lastval())"),
    ("a round before the first", "update jobs set round = -1 where id = (select lastval())"),
    ("fewer children than none", "update jobs set open_children = -1 where id = (select lastval())"),
    ("an id that the caller chose", "insert into jobs (id, kind) values (1, 'docket.verify')"),
    (
        "an idempotency key twice",
        "insert into jobs (kind, idempotency_key) values ('docket.verify', 'docket.verify'), ('docket.verify', 'docket.verify')",
    ),
    ("an epoch without a change of status", "update jobs set epoch = 1 where id = (select lastval())"),
    (
        "an attempt's unknown outcome",
        "insert into job_attempts (job_id, epoch, round, attempt, outcome) values (-1, 0, 0, 1, 'mood')",
    ),
    (
        "an attempt twice",
        "insert into job_attempts (job_id, epoch, round, attempt, outcome) values (-1, 0, 0, 1, 'lost'), (-1, 0, 0, 1, 'lost')",
    ),
    (
        "a message's unknown band",
        "insert into job_messages (id, band, lane, kind, jobs) values (-1, 3, 'default', 'k', '{}')",
    ),
    (
        "a worker's unknown state",
        "insert into workers (slots, state, name, lanes, kinds) values (0, 'tired', 'n', '{}', '{}')",
    ),
    (
        "a worker with fewer slots than none",
        "insert into workers (slots, name, lanes, kinds) values (-1, 'n', '{}', '{}')",
    ),
    ("a second state of the broker", "insert into broker_state default values"),
    ("a generation before the first", "update broker_state set generation = -1"),
    (
        "a message in quarantine without bounds",
        "insert into quarantine (queue, reason, headers, body) values ('q', 'r', '', convert_to(repeat('x', 65537), 'utf8'))",
    ),
];

/// A state, and what its row lacks.
const STATES: &[(Status, &str, &str)] = &[
    (Status::Queued, "without a message", "message_id = null"),
    (Status::Queued, "without a time", "queued_at = null"),
    (Status::Queued, "and held", "hold = 'paused'"),
    (Status::Queued, "and finished", "finished_at = now()"),
    (Status::Processing, "without a message", "message_id = null"),
    (Status::Processing, "without a worker", "worker_id = null"),
    (Status::Processing, "without a start", "started_at = null"),
    (Status::Processing, "and held", "hold = 'retry'"),
    (Status::Processing, "and finished", "finished_at = now()"),
    (Status::Completed, "without an end", "finished_at = null"),
    (Status::Completed, "and held", "hold = 'retry'"),
    (Status::Failed, "without an end", "finished_at = null"),
    (Status::Failed, "with a dead letter's copy", "dead_published_gen = 0"),
    (Status::DeadLetter, "without an end", "finished_at = null"),
    (Status::DeadLetter, "without a time of failure", "failed_at = null"),
    (Status::DeadLetter, "without a mark of its copy", "dead_published_gen = null"),
    (Status::Cancelled, "without an end", "finished_at = null"),
];

/// What a version-2 writer leaves, and the ledger puts right in the same statement.
const MENDED: &[(&str, &[Status], &str, &str)] = &[
    (
        "a failed job without its time is given one",
        &[Status::Queued, Status::Processing, Status::Failed],
        "failed_at = null",
        "failed_at = finished_at",
    ),
    (
        "a requeued job with a time of failure loses it",
        &[Status::Queued, Status::Processing, Status::Failed, Status::Pending],
        "failed_at = now()",
        "failed_at is null",
    ),
];

/// The rule of the trigger `job_failed_at` over all rows, also those that were there before it: one look at the table.
const DATED: &str = "do $$ begin \
    if exists (select 1 from jobs where (failed_at is not null) <> (status in ('failed','dead_letter'))) then \
    raise exception 'some job is not' using errcode = 'check_violation', constraint = 'job_failed_at'; end if; end $$";

/// All of it.
#[must_use]
pub fn trials() -> Vec<Trial> {
    let mut all = Vec::new();
    for from in Status::ALL {
        for to in Status::ALL {
            all.push(step(from, to, 1, is_legal(from, to, None)));
        }
    }
    for epochs in [0, 2] {
        all.push(step(Status::Pending, Status::Queued, epochs, false));
    }
    for (undo, other) in [(Status::Failed, Status::DeadLetter), (Status::DeadLetter, Status::Failed)] {
        all.push(undone(undo, undo));
        all.push(undone(undo, other));
    }
    all.extend([Status::Failed, Status::DeadLetter].map(revived));
    all.push(trial("every failure is dated, and nothing else".to_owned(), String::new(), DATED.to_owned(), true));
    let shape = |(what, sql): &(&str, &str)| trial((*what).to_owned(), INSERT.to_owned(), (*sql).to_owned(), false);
    all.extend(SHAPES.iter().map(shape));
    for (status, what, set) in STATES {
        let sql = format!("update jobs set {set} where {JOB}");
        all.push(trial(format!("{status} {what}"), brought(*status), sql, false));
    }
    all.extend(MENDED.iter().map(|(what, way, set, then)| {
        let sql = format!(
            "update jobs set {set} where {JOB}; do $$ begin if not (select {then} from jobs where {JOB}) then \
             raise exception 'it was not' using errcode = 'check_violation'; end if; end $$"
        );
        trial((*what).to_owned(), steps(way), sql, true)
    }));
    for (since, table, insert, row, columns) in ROWS {
        for column in columns.split_whitespace() {
            let sql = format!("update {table} set {column} = null where {row}");
            let null = trial(format!("{table}.{column} null"), (*insert).to_owned(), sql, false);
            all.push(Trial { since: *since, ..null });
        }
    }
    all
}

fn trial(what: String, given: String, sql: String, allowed: bool) -> Trial {
    let expected = if allowed { Expected::Allowed } else { Expected::Refused };
    Trial { what, since: SINCE, given, sql, expected }
}

fn step(from: Status, to: Status, epochs: i32, allowed: bool) -> Trial {
    let jump = if epochs == 1 { String::new() } else { format!(" at an epoch {epochs} further") };
    let sql = if from == to {
        // No other status, so only the epoch could tell.
        format!("update jobs set epoch = epoch + 1 where {JOB}")
    } else {
        changed(to, epochs)
    };
    trial(format!("{from} to {to}{jump}"), brought(from), sql, allowed)
}

/// Back to pending in the round that it failed in.
fn revived(from: Status) -> Trial {
    let sql = changed(Status::Pending, 1).replace("round = round + 1", "round = round");
    let what = format!("{from} revived without a new round");
    Trial { since: ROUNDS_SINCE, ..trial(what, brought(from), sql, false) }
}

/// Back to where a requeue came from, or elsewhere.
fn undone(from: Status, to: Status) -> Trial {
    let way = [Status::Queued, Status::Processing, from, Status::Pending];
    let given = format!("{}; update jobs set requeued_from = '{from}' where {JOB}", steps(&way));
    trial(format!("requeued from {from}, undone to {to}"), given, changed(to, 1), from == to)
}

fn brought(status: Status) -> String {
    match status {
        Status::Pending => steps(&[]),
        Status::Queued | Status::Cancelled => steps(&[status]),
        Status::Processing => steps(&[Status::Queued, status]),
        Status::Completed | Status::Failed | Status::DeadLetter => steps(&[Status::Queued, Status::Processing, status]),
    }
}

fn steps(way: &[Status]) -> String {
    let steps = way.iter().map(|status| changed(*status, 1));
    std::iter::once(INSERT.to_owned()).chain(steps).collect::<Vec<_>>().join("; ")
}

/// The job becomes `to`, with all that the state's shape asks for.
fn changed(to: Status, epochs: i32) -> String {
    let set = match to {
        Status::Pending => {
            "round = round + 1, message_id = null, finished_at = null, failed_at = null, dead_published_gen = null"
        }
        Status::Queued => {
            "message_id = 1, queued_at = now(), finished_at = null, failed_at = null, dead_published_gen = null"
        }
        Status::Processing => {
            "message_id = 1, worker_id = 1, started_at = now(), finished_at = null, failed_at = null, dead_published_gen = null"
        }
        Status::Completed | Status::Cancelled => {
            "finished_at = now(), failed_at = null, dead_published_gen = null, hold = null"
        }
        Status::Failed => "finished_at = now(), failed_at = now(), dead_published_gen = null, hold = null",
        Status::DeadLetter => "finished_at = now(), failed_at = now(), dead_published_gen = 0, hold = null",
    };
    format!("update jobs set status = '{to}', epoch = epoch + {epochs}, {set} where {JOB}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_states_is_tried_once() {
        let all = trials();
        let pairs =
            all.iter().filter(|t| t.what.contains(" to ") && !t.what.contains("epoch") && !t.what.contains("undone"));
        assert_eq!(pairs.count(), 49);
        let mut words: Vec<&str> = all.iter().map(|t| t.what.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all.len(), "two trials have one name");
    }
}
