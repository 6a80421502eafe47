//! What a scenario costs: time, processor time, memory, write-ahead log, statements.

use super::{
    Scenario,
    report::{CpuSeconds, ScenarioReport},
    spec::{BenchError, BenchPlace, BenchSpec},
    statements::{self, Statements},
};
use crate::dev::usage::{forget_peak_rss, own_cpu, own_peak_rss, own_rss};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use tokio_postgres::GenericClient;

/// What had been used when the measured part began.
pub(super) struct Meter {
    begun: Instant,
    rss: u64,
    cpu: [Option<Duration>; 3],
    wal: i64,
    statements: BTreeMap<String, Statements>,
}

impl Meter {
    pub(super) async fn start(place: &BenchPlace<'_>, client: &impl GenericClient) -> Result<Self, BenchError> {
        let (cpu, statements) = (cpu(place), statements::so_far(place.metrics.as_ref()));
        let wal = wal(client).await?;
        forget_peak_rss();
        Ok(Self { begun: Instant::now(), rss: own_rss(), cpu, wal, statements })
    }

    /// What was used since, for so many jobs. The scenario adds what only it knows.
    pub(super) async fn stop(
        self,
        place: &BenchPlace<'_>,
        client: &impl GenericClient,
        (spec, scenario, jobs): (&BenchSpec, Scenario, u64),
    ) -> Result<ScenarioReport, BenchError> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let (cpu, statements) = (cpu(place), statements::so_far(place.metrics.as_ref()));
        let rss = own_peak_rss();
        let wal = wal(client).await? - self.wal;
        let used = |i: usize| Some(cpu[i]?.saturating_sub(self.cpu[i]?).as_secs_f64());
        Ok(ScenarioReport {
            jobs,
            seconds,
            rss_mib: mib(rss),
            rss_idle_mib: mib(self.rss),
            cpu_seconds: CpuSeconds { own: used(0).unwrap_or_default(), rabbitmq: used(1), postgresql: used(2) },
            wal_bytes_per_job: number(wal.unsigned_abs()) / number(jobs.max(1)),
            statements: statements::since(&self.statements, statements),
            ..ScenarioReport::new(scenario, spec, place)
        })
    }
}

/// How many jobs a second.
pub(super) fn rate(jobs: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { number(jobs) / seconds } else { 0.0 }
}

/// A count to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of jobs and bytes, for people, far below 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

fn mib(bytes: u64) -> f64 {
    number(bytes) / 1_048_576.0
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
