//! What a run leaves behind for its checker: files of JSON lines in one directory, and how they are read.

use super::witness::{self, Line};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

/// What was run, in `run.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The seed of load and faults.
    pub seed: u64,
    /// For how long load and faults were to go on.
    pub minutes: f64,
    /// The protocol was five times shorter.
    pub short: bool,
}

/// A job whose enqueueing was answered, in `accepted.jsonl`; written when its commit was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The job.
    pub id: i64,
    /// Its kind.
    pub kind: String,
    /// How long it runs.
    pub ms: u64,
    /// Its priority.
    pub priority: i32,
}

/// A job that an operator was told to cancel, in `cancelled.jsonl`; written before he was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// The job.
    pub id: i64,
}

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A fault begins.
    Fault,
    /// It has ended.
    Healed,
    /// Work goes on: `seconds` after the end.
    Recovered,
    /// Work didn't go on for `seconds`.
    NotRecovered,
    /// A fault could not be made.
    Failed,
    /// A member that was dead was started again.
    Restarted,
    /// Anything else worth a line.
    Note,
}

/// One line of `chaos.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The run's seed.
    pub seed: u64,
    /// The how manieth fault.
    pub step: u32,
    /// The machine's monotonic clock, in microseconds.
    pub at_us: u64,
    /// The wall clock.
    pub wall: String,
    /// What happened.
    pub event: What,
    /// The class of the fault; empty where there is none.
    pub class: String,
    /// From the fault's end until work went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Its target, and what else is worth knowing.
    pub detail: Value,
}

/// A call that the sink took, in `sink.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When, in microseconds.
    pub at_us: u64,
    /// The idempotency key that it carried.
    pub key: Option<String>,
    /// The job that it was for.
    pub job: i64,
}

/// What a process showed of itself, in `samples.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When, in microseconds.
    pub at_us: u64,
    /// The member.
    pub member: String,
    /// Its process.
    pub pid: i32,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Counters, by the names of [`samples`](super::samples).
    pub counters: BTreeMap<String, f64>,
}

/// A row of `jobs`, in `jobs.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its number.
    pub id: i64,
    /// Its kind.
    pub kind: String,
    /// Where it ended, or stands.
    pub status: String,
    /// Its epoch.
    pub epoch: i32,
    /// Failures that were booked.
    pub failures: i16,
    /// Losses that were booked.
    pub losses: i16,
}

/// A row of `job_attempts`, in `attempts.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// The job.
    pub job_id: i64,
    /// The epoch during the attempt.
    pub epoch: i32,
    /// How it was booked.
    pub outcome: String,
}

/// A row of `chaos_effects`, in `effects.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRow {
    /// The job.
    pub job_id: i64,
    /// The epoch of the run that wrote it.
    pub epoch: i32,
}

/// How many jobs a sweep brought back, in `rescues.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescues {
    /// The rule.
    pub rule: String,
    /// Jobs.
    pub jobs: u64,
}

/// How it ended, in `end.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Until no job was open; none: it didn't come to that.
    pub settled_seconds: Option<f64>,
    /// Rows of `job_messages`.
    pub in_flight: u64,
    /// Dead letters of the ledger.
    pub dead_letters: u64,
    /// Messages in docket.dead; none: the broker didn't say.
    pub dead_depth: Option<u64>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// What was run.
    pub run: Run,
    /// Accepted jobs.
    pub accepted: Vec<Accepted>,
    /// Jobs that were to be cancelled.
    pub cancelled: Vec<Cancelled>,
    /// Faults.
    pub events: Vec<Event>,
    /// Calls to the sink.
    pub calls: Vec<Call>,
    /// Samples of the processes.
    pub samples: Vec<Sample>,
    /// The handlers' own account, one list a process.
    pub witnesses: Vec<Vec<Line>>,
    /// The ledger's jobs.
    pub jobs: HashMap<i64, JobRow>,
    /// The ledger's attempts.
    pub attempts: Vec<AttemptRow>,
    /// What was written with completions.
    pub effects: Vec<EffectRow>,
    /// What sweeps brought back.
    pub rescues: Vec<Rescues>,
    /// How it ended.
    pub end: End,
}

impl Evidence {
    /// Reads a directory.
    ///
    /// # Errors
    /// A file is missing or not what it should be.
    pub fn read(dir: &Path) -> Result<Self> {
        let jobs: Vec<JobRow> = lines(dir, "jobs.jsonl")?;
        let witnesses = witness::files(dir, "witness-")?;
        Ok(Self {
            run: whole(dir, "run.json")?,
            accepted: lines(dir, "accepted.jsonl")?,
            cancelled: lines(dir, "cancelled.jsonl")?,
            events: lines(dir, "chaos.jsonl")?,
            calls: lines(dir, "sink.jsonl")?,
            samples: lines(dir, "samples.jsonl")?,
            witnesses: witnesses.iter().map(|path| witness::read(path)).collect::<Result<_>>()?,
            jobs: jobs.into_iter().map(|job| (job.id, job)).collect(),
            attempts: lines(dir, "attempts.jsonl")?,
            effects: lines(dir, "effects.jsonl")?,
            rescues: lines(dir, "rescues.jsonl")?,
            end: whole(dir, "end.json")?,
        })
    }
}

fn whole<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<T> {
    let path = dir.join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what it should be", path.display()))
}

fn lines<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Vec<T>> {
    witness::read(&dir.join(name))
}
