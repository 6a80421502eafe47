//! A run: services and members up, load and faults, a quiet end, the ledger's side of the evidence.

use super::{evidence::End, load, nemesis, spec::ChaosSpec, stage::Stage, watch, witness::Lines};
use crate::fleet::broker::DEAD;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// What the run tells of itself while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Services and members start.
    Starting,
    /// A fault of this class begins.
    Fault(String),
    /// Faults are over: the last jobs end.
    Settling,
}

/// The last jobs have so long to end: a job that kills its worker takes five of them, and each takes a lease to be missed.
const SETTLE: Duration = Duration::from_mins(5);

/// Messages of ended jobs and the copies of dead letters have so long to follow; the management API counts each 5 s.
const REST: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(500);

/// What of the ledger is kept: a file and the rows that become its lines.
const DUMPS: &[(&str, &str)] = &[
    ("jobs.jsonl", "select id, kind, status, epoch, failures, losses from jobs"),
    ("attempts.jsonl", "select job_id, epoch, outcome from job_attempts"),
    ("effects.jsonl", "select job_id, epoch from chaos_effects"),
    (
        "rescues.jsonl",
        "select actor as rule, count(*) as jobs from job_events \
         where actor in ('R1', 'R2', 'R3', 'R4') and event in ('rescued', 'dead_letter', 'cancelled') group by 1",
    ),
];

/// Plays a run and leaves its evidence in [`ChaosSpec::evidence`]. Nothing is judged here.
///
/// # Errors
/// Services or members don't start, or the evidence can't be written. A fleet that breaks is no error.
pub async fn run(spec: &ChaosSpec, tell: &(dyn Fn(News) + Send + Sync)) -> Result<()> {
    tell(News::Starting);
    let evidence = spec.evidence();
    let stage = Arc::new(Stage::build(spec).await?);
    let (quiet, end) = (CancellationToken::new(), CancellationToken::new());
    // Whatever way this function is left, its tasks end.
    let _ends = (quiet.clone().drop_guard(), end.clone().drop_guard());
    let loading = tokio::spawn(load::run(stage.clone(), quiet.clone()));
    let keeping = tokio::spawn(watch::keep(stage.clone(), end.clone()));
    let sampling = {
        let (stage, evidence, end) = (stage.clone(), evidence.clone(), end.clone());
        tokio::spawn(async move { watch::sample(stage, &evidence, end).await })
    };
    let hurt = nemesis::run(stage.clone(), spec.time(), &|class| tell(News::Fault(class.to_owned()))).await;
    tell(News::Settling);
    quiet.cancel();
    joined(loading).await?;
    let settled = settle(&stage).await;
    let rest = at_rest(&stage, settled).await;
    end.cancel();
    joined(sampling).await?;
    joined(keeping).await?;
    let dumped = dump(&stage, &evidence).await;
    let Some(stage) = Arc::into_inner(stage) else { bail!("a task of the run has not ended") };
    stage.fleet.stop().await;
    hurt?;
    dumped?;
    std::fs::write(evidence.join("end.json"), serde_json::to_string(&rest?)?)?;
    Ok(())
}

async fn joined(task: JoinHandle<Result<()>>) -> Result<()> {
    task.await.context("a task of the run broke")?
}

/// Waits until no job is open; the seconds that it took, or none if it didn't come to that.
async fn settle(stage: &Stage) -> Option<f64> {
    let begun = Instant::now();
    let is_over = stage.until(SETTLE, "select not exists (select from jobs where finished_at is null)").await;
    // The last counters are sampled after the last job.
    sleep(Duration::from_secs(1)).await;
    is_over.then(|| begun.elapsed().as_secs_f64())
}

/// What is in flight and in docket.dead, once both are as they should be, or have had the time for it.
async fn at_rest(stage: &Stage, settled_seconds: Option<f64>) -> Result<End> {
    let begun = Instant::now();
    loop {
        let depth = stage.fleet.management().queue(stage.fleet.vhost(), DEAD).await;
        let end = End {
            settled_seconds,
            in_flight: stage.number("select count(*) from job_messages").await?.unsigned_abs(),
            dead_letters: stage.number("select count(*) from jobs where status = 'dead_letter'").await?.unsigned_abs(),
            dead_depth: depth.ok().flatten().and_then(|queue| queue.messages),
        };
        let is_over = end.in_flight == 0 && end.dead_depth == Some(end.dead_letters);
        if is_over || begun.elapsed() >= REST {
            return Ok(end);
        }
        sleep(LOOK).await;
    }
}

async fn dump(stage: &Stage, evidence: &Path) -> Result<()> {
    for (file, sql) in DUMPS {
        let rows = stage.query(&format!("select to_jsonb(t) from ({sql}) t"), &[]).await?;
        let lines: Vec<Value> = rows.iter().map(|row| row.get(0)).collect();
        Lines::open(&evidence.join(file))?.write_all(&lines).await?;
    }
    Ok(())
}
