//! How long a migration holds up a fleet: `scripts/bench-migrate`. A measurement, so it asserts no times and runs only
//! when asked for.

use docket::{
    db::{self, Upgrade},
    dev::{Services, ServicesSpec},
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};
use tokio_postgres::{Client, Config};
use url::Url;

/// 92 % completed, 4 % failed, 2 % due, 1 % held, 1 % in flight: a ledger with a history.
const FILL: &str = "
insert into jobs (kind, args, status, epoch, message_id, worker_id, queued_at, started_at, finished_at, hold, hold_until, failures)
select 'k', jsonb_build_object('url', 'https://example.org/' || n, 'note', repeat('x', 120)), s::job_status,
  case s when 'pending' then 0 when 'processing' then 2 else 3 end,
  case when s = 'processing' then n end, case when s <> 'pending' then 1 end, case when s <> 'pending' then now() end,
  case when s <> 'pending' then now() end, case when s in ('completed', 'failed') then now() end,
  case when n % 100 = 6 then 'scheduled' end::job_hold, case when n % 100 = 6 then now() + interval '1 d' end,
  case when s = 'failed' then 3 else 0 end
from (select n, case when n % 100 < 4 then 'failed' when n % 100 < 7 then 'pending' when n % 100 = 7 then 'processing'
      else 'completed' end as s from generate_series($FROM, $TO) n) t";

const MESSAGES: &str = "
insert into job_messages (id, lane, kind, band, worker_id, claimed_at, jobs)
select message_id, lane, kind, 1, worker_id, started_at, array[id] from jobs where status = 'processing'";

/// What a version-2 fleet does, a statement each, in a lane of its own.
const ACTS: [(&str, &str); 4] = [
    ("insert", "insert into jobs (kind, lane, args) select 'k', 'busy', '{}' from generate_series(1, 3)"),
    (
        "claim",
        "with top as materialized (select ctid as tid, id from jobs where due and lane = 'busy' order by priority desc, id limit 2 \
           for update skip locked), s as materialized (select nextval('job_message_seq') as base where exists (select 1 from top)), \
         w as (insert into job_messages (id, lane, kind, band, worker_id, claimed_at, jobs) \
           select base, 'busy', '', 1, 1, now(), array(select id from top) from s) \
         update jobs j set status = 'processing', epoch = j.epoch + 1, queued_at = now(), started_at = now(), \
           message_id = s.base, worker_id = 1 from top, s where j.ctid = top.tid",
    ),
    (
        "complete",
        "with m as (select id, jobs from job_messages where lane = 'busy' order by id limit 1 for update skip locked), \
         d as (delete from job_messages using m where job_messages.id = m.id) \
         update jobs j set status = 'completed', epoch = j.epoch + 1, finished_at = now(), output = '1' from m \
         where j.id = m.jobs[1] and j.status = 'processing'",
    ),
    (
        "fail",
        "with m as (select id, jobs from job_messages where lane = 'busy' order by id desc limit 1 for update skip locked), \
         d as (delete from job_messages using m where job_messages.id = m.id), \
         x as (update jobs j set status = 'failed', epoch = j.epoch + 1, failures = j.failures + 1, finished_at = now(), \
           error_class = 'timeout', last_error = 'too late' from m where j.id = m.jobs[1] and j.status = 'processing' \
           returning j.id, j.epoch, j.round) \
         insert into job_attempts (job_id, epoch, round, attempt, outcome) select id, epoch - 1, round, 1, 'failed' from x",
    ),
];

/// Statements of one act: when each began, after the start, and how long it took.
type Timings = Vec<(Duration, Duration)>;

struct Poller {
    tasks: JoinSet<(&'static str, Timings)>,
    stop: Arc<AtomicBool>,
}

impl Poller {
    async fn start(config: &Config) -> Self {
        let (mut tasks, stop, began) = (JoinSet::new(), Arc::new(AtomicBool::new(false)), Instant::now());
        for (what, sql) in ACTS {
            let (client, stop) = (db::connect(config).await.unwrap(), Arc::clone(&stop));
            tasks.spawn(async move { (what, poll(&client, sql, began, &stop).await) });
        }
        Self { tasks, stop }
    }

    async fn stop(self) -> Vec<(&'static str, Timings)> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = self.tasks.join_all().await;
        all.sort_by_key(|(what, _)| ACTS.iter().position(|act| act.0 == *what));
        all
    }
}

async fn poll(client: &Client, sql: &str, began: Instant, stop: &AtomicBool) -> Timings {
    let statement = client.prepare(sql).await.unwrap();
    let mut timings = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let at = Instant::now();
        client.execute(&statement, &[]).await.unwrap();
        timings.push((at - began, at.elapsed()));
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    timings
}

async fn fill(client: &Client, jobs: i64) {
    client.batch_execute("alter table jobs disable trigger user").await.unwrap();
    for from in (1..=jobs).step_by(250_000) {
        let to = jobs.min(from + 249_999);
        client.batch_execute(&FILL.replace("$FROM", &from.to_string()).replace("$TO", &to.to_string())).await.unwrap();
    }
    client.batch_execute("alter table jobs enable trigger user").await.unwrap();
    client.batch_execute(MESSAGES).await.unwrap();
    for last in ["select setval('job_message_seq', (select max(id) from jobs))", "vacuum analyze jobs", "checkpoint"] {
        client.batch_execute(last).await.unwrap();
    }
}

/// A copy of the filled database, for one run.
async fn copy(url: &str, run: i32) -> Config {
    let (mut home, name) = (Url::parse(url).unwrap(), format!("run_{run}"));
    home.set_path("/postgres");
    let client = db::connect(&db::parse_url(home.as_str()).unwrap()).await.unwrap();
    // Newer servers would log every page of the copy.
    let newer = "select current_setting('server_version_num')::int >= 150000";
    let strategy = if client.query_one(newer, &[]).await.unwrap().get(0) { "strategy file_copy" } else { "" };
    client.batch_execute(&format!("create database {name} template docket {strategy}")).await.unwrap();
    client.batch_execute("checkpoint").await.unwrap();
    home.set_path(&name);
    db::parse_url(home.as_str()).unwrap()
}

fn told(when: &str, timings: &[(&'static str, Timings)]) {
    for (what, timings) in timings {
        let mut lengths: Vec<Duration> = timings.iter().map(|(_, length)| *length).collect();
        lengths.sort_unstable();
        let (at, longest) = timings.iter().max_by_key(|(_, length)| *length).copied().unwrap_or_default();
        println!(
            "{when:>9}  {what:<8}  {:>6} statements  median {:>6.1} ms  longest {:>7.1} ms, after {:>5.1} s",
            lengths.len(),
            lengths[lengths.len() / 2].as_secs_f64() * 1e3,
            longest.as_secs_f64() * 1e3,
            at.as_secs_f64()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: scripts/bench-migrate"]
async fn version_3_on_a_large_ledger() {
    let number = |name, default| std::env::var(name).map_or(default, |text: String| text.parse().expect(name));
    let jobs: i64 = number("BENCH_JOBS", 5_000_000);
    let runs = i32::try_from(number("BENCH_RUNS", 1)).expect("BENCH_RUNS");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stall-{}", std::process::id()));
    let spec = ServicesSpec { dir: dir.clone(), keep: false, postgres: true, rabbitmq: None, durable: true };
    let services = Services::start(spec).await.unwrap();
    let url = services.database_url().unwrap();
    filled(&db::parse_url(url).unwrap(), jobs).await;
    for run in 1..=runs {
        let config = copy(url, run).await;
        println!("run {run}");
        let before = Poller::start(&config).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        told("before", &before.stop().await);
        measure(&config).await;
    }
    services.stop().await;
    drop(std::fs::remove_dir_all(dir));
}

async fn filled(config: &Config, jobs: i64) {
    db::upgrade(config, &Upgrade { to: Some(2), ..Upgrade::default() }).await.unwrap();
    let (client, began) = (db::connect(config).await.unwrap(), Instant::now());
    fill(&client, jobs).await;
    let size = "select pg_size_pretty(pg_table_size('jobs')), current_setting('server_version')";
    let row = client.query_one(size, &[]).await.unwrap();
    let (size, server): (String, String) = (row.get(0), row.get(1));
    println!("{jobs} jobs in {size}, made in {:.0} s, PostgreSQL {server}", began.elapsed().as_secs_f64());
}

async fn measure(config: &Config) {
    let poller = Poller::start(config).await;
    let (began, steps) = (Instant::now(), Mutex::new(Vec::new()));
    let tell = |line: &str| steps.lock().unwrap().push((began.elapsed(), line.to_owned()));
    let upgrade = Upgrade { to: Some(3), tell: &tell, ..Upgrade::default() };
    db::upgrade(config, &upgrade).await.unwrap();
    let total = began.elapsed();
    let timings = poller.stop().await;
    for (at, line) in steps.into_inner().unwrap() {
        println!("  {:>6.2} s  {line}", at.as_secs_f64());
    }
    println!("migrate up took {:.1} s", total.as_secs_f64());
    told("meanwhile", &timings);
}
