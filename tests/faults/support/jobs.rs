//! Jobs whose ends can be told, and what their handlers wrote down.

use super::trial::{Trial, in_time};
use docket::{
    dev::{
        chaos::{
            kinds::{self, Act},
            witness::{self, Deed, Line},
        },
        fleet::Fleet,
    },
    fleet::job::NewJob,
};
use serde_json::{Value, json};
use std::{collections::HashSet, fs};

/// Below the fleet's directory, which is the current one of its members.
const WITNESS: &str = "witness";

/// Some jobs of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    kind: &'static str,
    number: usize,
    ms: u64,
    priority: i16,
}

impl Load {
    const fn new(kind: &'static str, number: usize, ms: u64) -> Self {
        Self { kind, number, ms, priority: 100 }
    }

    /// Jobs that complete at once.
    pub(crate) const fn ok(number: usize) -> Self {
        Self::new(kinds::OK, number, 0)
    }

    /// Jobs that write a row with their completion.
    pub(crate) const fn effect(number: usize) -> Self {
        Self::new(kinds::EFFECT, number, 0)
    }

    /// Jobs that run for so many milliseconds.
    pub(crate) const fn slow(number: usize, ms: u64) -> Self {
        Self::new(kinds::SLOW, number, ms)
    }

    /// Both.
    pub(crate) const fn slow_effect(number: usize, ms: u64) -> Self {
        Self::new(kinds::EFFECT, number, ms)
    }

    /// Jobs that fail at their first attempt.
    pub(crate) const fn fail_once(number: usize) -> Self {
        Self::new(kinds::FAIL_ONCE, number, 0)
    }

    /// Jobs that end as dead letters.
    pub(crate) const fn fail_always(number: usize) -> Self {
        Self::new(kinds::FAIL_ALWAYS, number, 0)
    }

    /// −1000 to 1000; 100 otherwise.
    pub(crate) const fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// As the ledger takes them.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = NewJob> + use<> {
        let job = kinds::job(self.kind, Act { ms: self.ms }).expect("a kind");
        std::iter::repeat_n(NewJob { priority: self.priority, ..job }, self.number)
    }
}

/// The command of a worker that knows these kinds.
pub(crate) fn worker(slots: u32) -> String {
    format!("chaos-worker --witness {WITNESS} --slots {slots}")
}

/// A request of the API for a job with an effect.
pub(crate) fn body() -> Value {
    json!({"kind": kinds::EFFECT, "args": Act::default(), "force": true})
}

/// What makes a waiting job one that has lost two workers.
pub(crate) fn suspect(id: i64) -> String {
    format!(
        "update jobs set losses = 2 where id = {id};
         insert into job_attempts (job_id, epoch, round, attempt, outcome) values ({id}, -1, 0, 1, 'lost'), ({id}, -2, 0, 2, 'lost')"
    )
}

/// Makes what the kinds write into, on new services.
pub(super) async fn prepare(fleet: &Fleet) {
    fs::create_dir_all(fleet.dir().join(WITNESS)).expect("ours");
    let table = kinds::EFFECTS_TABLE.replacen("create table", "create table if not exists", 1);
    let db = in_time("a connection to the database", fleet.connect()).await.expect("the database is well");
    in_time("a new table", db.batch_execute(&table)).await.expect("a table");
}

/// What is wrong with effects, as in `promise.rs`: every completed job that should have one has it once, from the attempt
/// that completed it. `{effect}` is the kind that has some.
pub(super) const BROKEN: &[(&str, &str)] = &[
    ("an effect happened twice", "select job_id from chaos_effects group by job_id having count(*) > 1"),
    (
        "a completed job lacks its effect",
        "select id from jobs j where kind = '{effect}' and status = 'completed'
         and not exists (select 1 from chaos_effects e where e.job_id = j.id)",
    ),
    (
        "an effect of a job that did not complete",
        "select job_id from chaos_effects e join jobs j on j.id = e.job_id where j.status <> 'completed'",
    ),
    (
        "an effect of another attempt than the one that completed",
        "select job_id from chaos_effects e join jobs j on j.id = e.job_id where e.epoch <> j.epoch - 1",
    ),
];

/// Each completion is of a run that its handler itself says has succeeded.
pub(super) async fn are_witnessed(trial: &Trial) {
    let mut succeeded = HashSet::new();
    for file in witness::files(&trial.fleet().dir().join(WITNESS), "witness-").expect("ours") {
        let lines: Vec<Line> = witness::read(&file).expect("whole lines");
        succeeded.extend(lines.iter().filter(|line| line.deed == Deed::Ok).map(|line| (line.job, line.epoch)));
    }
    let sql = "select id, epoch - 1 from jobs where id > $1 and status = 'completed'";
    let db = trial.db().await;
    let completed = in_time("completions", db.query(sql, &[&trial.first()])).await.expect("an answer");
    let unwitnessed: Vec<(i64, i32)> = completed.iter().map(|row| (row.get(0), row.get(1))).collect();
    let unwitnessed: Vec<_> = unwitnessed.into_iter().filter(|run| !succeeded.contains(run)).collect();
    assert!(unwitnessed.is_empty(), "completed, and no handler says so: (job, epoch) {unwitnessed:?}");
}
