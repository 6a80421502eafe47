//! The fleet that is hurt, and the books that are kept of it.

use super::{
    evidence::{Accepted, Cancelled, Event, Run, What},
    kinds::{self, Act},
    sink::Sink,
    spec::{ChaosSpec, POINTERS, SCHEDULERS, SLOTS, WORKERS},
    witness::{Lines, monotonic_us},
};
use crate::{
    db::{self, Pool, PoolOptions, PoolPurpose},
    dev::fleet::{Fleet, FleetSpec, Member, MemberSpec},
    fleet::{
        enqueue::{Enqueued, Notify, enqueue},
        job::NewJob,
        settings::Protocol,
    },
};
use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    collections::{HashSet, VecDeque},
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};
use tokio_postgres::Row;

/// Ids that cancels and forgeries choose from.
const RECENT: usize = 200;
/// Between two tries at a database that is away.
const PAUSE: Duration = Duration::from_millis(100);
/// Deadline of a statement of ours.
const STATEMENT: Duration = Duration::from_secs(10);
/// A process of the fleet is ready in this time, however busy the machine is.
const READY: Duration = Duration::from_mins(2);

/// Everything that a run has.
pub(super) struct Stage {
    pub(super) fleet: Fleet,
    pub(super) schedulers: Vec<Arc<Member>>,
    pub(super) workers: Vec<Arc<Member>>,
    pub(super) protocol: Protocol,
    pub(super) seed: u64,
    pub(super) short: bool,
    pub(super) step: AtomicU32,
    pool: Pool,
    events: Lines,
    accepted: Lines,
    cancelled: Lines,
    numbers: AtomicU64,
    recent: Mutex<VecDeque<i64>>,
    down: Mutex<HashSet<String>>,
    _sink: Sink,
}

impl Stage {
    /// Services, members, books.
    pub(super) async fn build(spec: &ChaosSpec) -> Result<Self> {
        let dir = spec.evidence();
        fs::create_dir_all(&dir).with_context(|| format!("can't create {}", dir.display()))?;
        let run = Run { seed: spec.seed, minutes: spec.minutes, short: spec.is_short() };
        fs::write(dir.join("run.json"), serde_json::to_string(&run)?)?;
        let dir = fs::canonicalize(dir)?;
        let sink = Sink::start(&dir.join("sink.jsonl")).await?;
        let profile = if spec.is_short() { "short" } else { "production" };
        let fleet = FleetSpec::new(&spec.dir, &spec.binary)
            .env("DOCKET_PROFILE", profile)
            .env("DOCKET_POINTERS_MIN", &POINTERS.to_string());
        let fleet = Fleet::start(fleet).await?;
        fleet.connect().await?.batch_execute(kinds::EFFECTS_TABLE).await?;
        let (mut schedulers, mut workers) = (Vec::new(), Vec::new());
        for number in 1..=SCHEDULERS {
            schedulers.push(fleet.spawn(MemberSpec::new(&format!("scheduler-{number}"), "scheduler")).await?);
        }
        for number in 1..=WORKERS {
            let mut worker = MemberSpec::new(
                &format!("worker-{number}"),
                &format!("chaos-worker --slots {SLOTS} --sink {}", sink.url()),
            );
            worker.args.extend(["--witness".to_owned(), dir.display().to_string()]);
            workers.push(fleet.spawn(worker).await?);
        }
        for member in fleet.members() {
            member.ready(READY).await?;
        }
        let pool = db::pool(fleet.config(), PoolOptions::new(PoolPurpose::General, 8));
        Ok(Self {
            fleet,
            schedulers,
            workers,
            protocol: spec.protocol(),
            seed: spec.seed,
            short: spec.is_short(),
            step: AtomicU32::new(0),
            pool,
            events: Lines::open(&dir.join("chaos.jsonl"))?,
            accepted: Lines::open(&dir.join("accepted.jsonl"))?,
            cancelled: Lines::open(&dir.join("cancelled.jsonl"))?,
            numbers: AtomicU64::new(0),
            recent: Mutex::default(),
            down: Mutex::default(),
            _sink: sink,
        })
    }

    /// Writes a line of the chaos.
    pub(super) async fn tell(&self, event: What, class: &str, seconds: Option<f64>, detail: Value) -> Result<()> {
        let event = Event {
            seed: self.seed,
            step: self.step.load(Ordering::Relaxed),
            at_us: monotonic_us(),
            wall: jiff::Timestamp::now().to_string(),
            event,
            class: class.to_owned(),
            seconds,
            detail,
        };
        self.events.write(&event).await.context("the chaos can't be written down")
    }

    /// Enqueues jobs, however long the database is away, and writes them down when their commit is known.
    pub(super) async fn put(&self, wanted: &[(&str, u64, i32)]) -> Result<Vec<i64>> {
        let mut jobs: Vec<NewJob> = Vec::with_capacity(wanted.len());
        for (kind, ms, priority) in wanted {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            // An unknown commit is repeated with the same key: the job is there once.
            jobs.push(
                kinds::job(kind, Act { ms: *ms })?.priority(*priority).idempotency_key(format!("chaos-{number}")),
            );
        }
        let ids = loop {
            match timeout(STATEMENT, self.try_put(&jobs)).await {
                Ok(Ok(ids)) => break ids,
                Ok(Err(_)) | Err(_) => sleep(PAUSE).await,
            }
        };
        let accepted: Vec<Accepted> = ids
            .iter()
            .zip(wanted)
            .map(|(&id, &(kind, ms, priority))| Accepted { id, kind: kind.to_owned(), ms, priority })
            .collect();
        self.accepted.write_all(&accepted).await.context("accepted jobs can't be written down")?;
        let mut recent = lock(&self.recent);
        recent.extend(&ids);
        let excess = recent.len().saturating_sub(RECENT);
        recent.drain(..excess);
        Ok(ids)
    }

    async fn try_put(&self, jobs: &[NewJob]) -> Result<Vec<i64>> {
        let client = self.pool.get().await?;
        let enqueued = enqueue(&*client, jobs, Notify::Yes).await?;
        Ok(enqueued.into_iter().map(|job| Enqueued::id(job).0).collect())
    }

    /// Tells an operator to cancel jobs; what he can't is no fault.
    pub(super) async fn cancel(&self, ids: &[i64]) -> Result<()> {
        let lines: Vec<Cancelled> = ids.iter().map(|&id| Cancelled { id }).collect();
        self.cancelled.write_all(&lines).await?;
        let ids: Vec<_> = ids.iter().map(|&id| crate::fleet::job::JobId(id)).collect();
        let client = self.pool.get().await?;
        timeout(STATEMENT, crate::fleet::ledger::operate::cancel(&**client, &ids, "chaos")).await??;
        Ok(())
    }

    /// Some of the last jobs.
    pub(super) fn recent(&self) -> Vec<i64> {
        lock(&self.recent).iter().copied().collect()
    }

    /// Asks the database, past all proxies.
    pub(super) async fn query(
        &self,
        sql: &str,
        params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let asked = timeout(STATEMENT, async { anyhow::Ok(self.pool.get().await?.query(sql, params).await?) });
        asked.await.context("the database doesn't answer")?
    }

    /// One number.
    pub(super) async fn number(&self, sql: &str) -> Result<i64> {
        let rows = self.query(sql, &[]).await?;
        Ok(rows.first().context("one row")?.get(0))
    }

    /// Looks again and again until `sql` gives true, for `limit` at most. Says whether it did.
    pub(super) async fn until(&self, limit: Duration, sql: &str) -> bool {
        let seen = async {
            loop {
                if let Ok(rows) = self.query(sql, &[]).await
                    && rows.first().is_some_and(|row| row.get(0))
                {
                    return;
                }
                sleep(PAUSE / 2).await;
            }
        };
        timeout(limit, seen).await.is_ok()
    }

    /// Whether the member is to stay dead when it is.
    pub(super) fn hold_down(&self, member: &Member, down: bool) {
        let mut held = lock(&self.down);
        if down {
            held.insert(member.name().to_owned());
        } else {
            held.remove(member.name());
        }
    }

    /// Starts members that are dead and need not be.
    pub(super) async fn keep(&self) -> Result<()> {
        for member in self.fleet.members() {
            if member.pid().is_none() && !lock(&self.down).contains(member.name()) {
                // It may have been started meanwhile by whoever killed it.
                if member.start().is_ok() {
                    self.tell(What::Restarted, "", None, serde_json::json!({"member": member.name()})).await?;
                }
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
