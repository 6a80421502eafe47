//! How each statement is called here, and what it may read.

use super::backlog::{DEAD, FAILED, KEYED, MESSAGES, PROCESSING, QUEUED, REQUEUED, WORKER};
use std::ops::Range;

/// Whose settings.
#[derive(Clone, Copy)]
pub(super) enum Session {
    /// The engine's pool and that of effects: pinned plans.
    Engine,
    /// The heartbeat's, an operator's: PostgreSQL's defaults.
    General,
}

/// One call.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) session: Session,
    pub(super) arguments: Vec<String>,
    /// Indexes of `jobs` that it may use, each with a condition.
    pub(super) indexes: &'static [&'static str],
    /// Rows that it addresses.
    pub(super) rows: usize,
}

const BATCH: usize = 1000;
/// Jobs of a message, at most.
const MESSAGE: usize = 100;
const KEY: &[&str] = &["jobs_pkey"];

fn case(name: &'static str, indexes: &'static [&'static str], rows: usize, arguments: &[&str]) -> Case {
    let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
    Case { name, session: Session::Engine, arguments, indexes, rows }
}

fn default_session(case: Case) -> Case {
    Case { session: Session::General, ..case }
}

/// An array's literal.
fn array(values: impl Iterator<Item = i64>) -> String {
    let values: Vec<String> = values.map(|v| v.to_string()).collect();
    format!("'{{{}}}'", values.join(","))
}

fn same(value: &str, n: usize) -> String {
    format!("'{{{}}}'", vec![value; n].join(","))
}

/// The ids, epochs and messages of some rows.
struct Rows {
    ids: String,
    epochs: String,
    messages: String,
}

fn rows(range: Range<i64>, n: usize, epoch: &str) -> Rows {
    let ids = || range.clone().take(n);
    Rows { ids: array(ids()), epochs: same(epoch, n), messages: array(ids().map(|id| id + MESSAGES)) }
}

/// All statements.
pub(super) fn all() -> Vec<Case> {
    let mut all = by_order();
    all.extend(by_key(BATCH));
    all.extend(sweeps());
    all.extend(with_effects());
    all.extend(enqueue(BATCH));
    all.extend(operators().into_iter().map(default_session));
    all.extend(audit());
    all
}

/// Statements that take rows in the order of an index.
fn by_order() -> Vec<Case> {
    vec![
        case("pick", &["jobs_due"], BATCH, &["'default'", "1000", "'{plain}'", "'{8}'", "1", "'{2,1,0}'", "2", "100"]),
        case("oldest_due", &["jobs_due"], 1, &["'default'"]),
        case("lease", &["jobs_due"], 50, &["'default'", "45", "'{plain}'", "7", "2", "5"]),
        case("lease_suspect", &["jobs_suspect"], 1, &["'default'", "1", "'{plain}'", "7", "2"]),
        case("lift_due", &["jobs_held"], BATCH, &["1000"]),
        // It looks at every parent that waits: there are 4,000.
        case("lift_parents", &["jobs_held"], 4000, &["1000"]),
        case("lift_kinds", &["jobs_held_key"], BATCH, &["'{plain}'", "1000", "'default'"]),
        case("lift_paces", &["jobs_held_key"], BATCH, &["1000"]),
        case("lift_breakers", &["jobs_held_key"], BATCH, &["1000"]),
        case("park", &["jobs_due"], 2000, &["'default'", "'{}'", "'{}'"]),
        case("dead_missing", &["jobs_dead"], 100, &["1", "100"]),
        case("dead_marked", &["jobs_dead"], 250, &["1", "250"]),
    ]
}

/// Statements that say which rows they mean.
fn by_key(n: usize) -> Vec<Case> {
    let (queued, held) = (rows(QUEUED, n, "1"), rows(PROCESSING, n, "2"));
    let dead = rows(DEAD, n.min(500), "3");
    let worker = WORKER.to_string();
    let claim: &[&str] = &[&queued.ids, &queued.epochs, &worker, &queued.messages];
    let (ids, epochs, spent) = (held.ids.as_str(), held.epochs.as_str(), held.messages.as_str());
    let (yes, other, delays, null) = (same("t", n), same("other", n), same("5", n), same("null", n));
    vec![
        case("claim", KEY, n, claim),
        case("claim_again", KEY, n, claim),
        case("ahead", KEY, n, &[&queued.ids, &queued.epochs, "true"]),
        case("hand_back", KEY, n, &[&queued.messages]),
        case("mark_confirmed", KEY, n, &[&queued.messages]),
        case("complete", KEY, n, &[ids, epochs, &same("1", n), spent]),
        case("complete_delete", KEY, n, &[ids, epochs, spent]),
        case("fail", KEY, n, &[ids, epochs, &yes, &other, &other, &delays, spent]),
        case("release", KEY, n, &[ids, epochs, &null, &null, &delays, spent]),
        case("discard", KEY, n, &[ids, epochs, &other, spent]),
        case("forget", KEY, n, &[spent]),
        case("still_held", KEY, n, &[ids, epochs]),
        case("dead_mark", KEY, n, &[&dead.ids, &dead.epochs, "1"]),
        case("dead_still", KEY, n, &[&dead.ids, &dead.epochs]),
    ]
}

/// Children of parents that wait, and keys that are known.
fn enqueue(n: usize) -> Vec<Case> {
    let keys: Vec<String> = KEYED.take(n).map(|id| format!("key {id}")).collect();
    vec![
        case("enqueue_found", &["jobs_idempotency"], n, &[&format!("'{{{}}}'", keys.join(","))]),
        case("enqueue_count", KEY, n, &[&array(PROCESSING.take(n))]),
        case("enqueue_parent", KEY, 1, &["78001"]),
        case("siblings", &["jobs_parent"], 1, &["78001", "'plain'", "1", "28"]),
    ]
}

/// Transactions with effects complete one job, or those of a message.
fn with_effects() -> Vec<Case> {
    let (id, held) = (PROCESSING.start.to_string(), rows(PROCESSING, 1, "2"));
    let message = rows(PROCESSING, MESSAGE, "2");
    let (ids, epochs, outputs) = (&message.ids, &message.epochs, same("1", MESSAGE));
    vec![
        case("complete", KEY, MESSAGE, &[ids, epochs, &outputs, &message.messages]),
        case("complete_delete", KEY, MESSAGE, &[ids, epochs, &message.messages]),
        case("complete_one", KEY, 1, &[&id, "2", "'1'", &held.messages]),
        case("complete_delete_one", KEY, 1, &[&id, "2", &held.messages]),
    ]
}

/// They find messages, and by these their jobs.
fn sweeps() -> Vec<Case> {
    let held = array([WORKER].into_iter());
    vec![
        case("sweep_r1", KEY, BATCH, &["'R1'", "1000", "2000000"]),
        case("sweep_r2", KEY, BATCH, &["'R2'", "1000", "2"]),
        case("sweep_r3", KEY, BATCH, &["'R3'", "1000", "'default'", "1", "2000000"]),
        // It reads all messages twice, to find those of its workers: there are 8,000.
        case("sweep_r4", KEY, 2 * BATCH, &[&held, "1000", "5", "2"]),
        default_session(case("held", KEY, BATCH, &["7"])),
    ]
}

/// They read what waits and what is in flight. There are 8,000 messages, and 4,000 parents that wait for a child each.
fn audit() -> Vec<Case> {
    let queued = rows(QUEUED, BATCH, "1");
    vec![
        case("audit_doubles", KEY, 8 * BATCH, &["2000000", "10000"]),
        case("audit_held_by", KEY, 4 * BATCH, &[]),
        case("audit_head", &["jobs_due"], BATCH, &["'default'", "'{plain}'", "2", "1000"]),
        case("audit_waiting", &["jobs_held", "jobs_parent"], 4 * BATCH, &["1000"]),
        case("audit_recount", &["jobs_pkey", "jobs_parent"], 1, &["78001"]),
        default_session(case("audit_give_back", KEY, BATCH, &[&queued.ids, &queued.epochs])),
    ]
}

fn operators() -> Vec<Case> {
    let actor = "'test'";
    let cancel = array(PROCESSING.take(500).chain(QUEUED.take(500)));
    let (failed, requeued) = (array(FAILED), array(REQUEUED));
    vec![
        case("operate_cancel", KEY, BATCH, &[&cancel, actor]),
        case("operate_discard", KEY, BATCH, &[&failed, actor]),
        case("operate_requeue", KEY, BATCH, &[&failed, actor]),
        case("operate_undo", KEY, BATCH, &[&requeued, actor]),
    ]
}

/// Statements as they must not be written, each with a part of the fault that has to be found.
pub(super) fn traps() -> Vec<(Case, &'static str, &'static str)> {
    let due = rows(50_000..70_000, BATCH, "0");
    let keyed = |name| case(name, KEY, BATCH, &[&due.ids, &due.epochs]);
    vec![
        (
            keyed("by key, but it names the predicate of the due index"),
            "update jobs j set priority = 1 from unnest($1::bigint[], $2::int[]) u(id, epoch)
             where j.id = u.id and j.epoch = u.epoch and j.due",
            "of jobs by jobs_due",
        ),
        (
            case("by key, but what it asks implies the predicate of the held index", KEY, BATCH, &[&due.ids]),
            "select id from jobs where id = any (array(select unnest($1::bigint[]))) and hold = 'children'",
            "of jobs by jobs_held",
        ),
        (
            default_session(keyed("by key, but through a function of the key")),
            "update jobs j set priority = 1 from unnest($1::bigint[], $2::int[]) u(id, epoch)
             where j.id + 0 = u.id and j.epoch = u.epoch",
            "Scan of jobs by nothing",
        ),
        (
            case("a pick in an order that no index has", &["jobs_due"], BATCH, &["'default'"]),
            "select id from jobs where due and lane = $1 order by created_at limit 1000",
            "looks at",
        ),
        (
            case("each row of a batch against each other", KEY, BATCH, &[&due.ids, &due.epochs]),
            "select count(*) from unnest($1::bigint[]) a(id) join unnest($2::int[]) b(epoch) on a.id = b.epoch + 0",
            "looks at",
        ),
    ]
}
