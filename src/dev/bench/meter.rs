//! What a scenario costs: time, processor time, memory, write-ahead log, statements.

use super::{
    report::{CpuSeconds, ScenarioReport},
    spec::{BenchError, BenchPlace, Scenario},
    statements::{self, Statements},
};
use crate::dev::usage::{own_cpu, own_rss};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use tokio_postgres::GenericClient;

/// What had been used when the measured part began.
pub(super) struct Meter {
    begun: Instant,
    cpu: [Option<Duration>; 3],
    wal: i64,
    statements: BTreeMap<String, Statements>,
}

impl Meter {
    pub(super) async fn start(place: &BenchPlace<'_>, client: &impl GenericClient) -> Result<Self, BenchError> {
        let (cpu, statements) = (cpu(place), statements::so_far(&place.metrics));
        let wal = wal(client).await?;
        Ok(Self { begun: Instant::now(), cpu, wal, statements })
    }

    /// What was used since, for so many jobs. The scenario adds what only it knows.
    pub(super) async fn stop(
        self,
        place: &BenchPlace<'_>,
        client: &impl GenericClient,
        (scenario, jobs): (Scenario, u64),
    ) -> Result<ScenarioReport, BenchError> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let (cpu, statements) = (cpu(place), statements::so_far(&place.metrics));
        let wal = wal(client).await? - self.wal;
        let used = |i: usize| Some(cpu[i]?.saturating_sub(self.cpu[i]?).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "numbers for people, far below 2^53")]
        let (wal, rss) = (wal as f64, own_rss() as f64);
        Ok(ScenarioReport {
            scenario,
            jobs,
            seconds,
            enqueue_per_second: None,
            drain_per_second: None,
            latency_ms: None,
            rss_mib: rss / 1_048_576.0,
            cpu_seconds: CpuSeconds { own: used(0).unwrap_or_default(), rabbitmq: used(1), postgresql: used(2) },
            wal_bytes_per_job: per(wal, jobs),
            k_mean: None,
            leased_directly: 0,
            statements: statements::since(&self.statements, statements),
        })
    }
}

/// How many jobs a second.
pub(super) fn rate(jobs: u64, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of jobs, far below 2^53")]
    let jobs = jobs as f64;
    if seconds > 0.0 { jobs / seconds } else { 0.0 }
}

fn per(sum: f64, jobs: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of jobs, far below 2^53")]
    let jobs = jobs.max(1) as f64;
    sum / jobs
}

fn cpu(place: &BenchPlace<'_>) -> [Option<Duration>; 3] {
    let services = place.services;
    let rabbitmq = services.and_then(|services| services.rabbitmq()).map(|rabbitmq| rabbitmq.cpu());
    let postgresql = services.and_then(|services| services.postgres()).map(|postgres| postgres.cpu());
    [Some(own_cpu()), rabbitmq, postgresql]
}

/// Bytes of the whole server's log: nothing else should write there.
async fn wal(client: &impl GenericClient) -> Result<i64, BenchError> {
    let sql = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";
    Ok(client.query_one(sql, &[]).await?.get(0))
}
