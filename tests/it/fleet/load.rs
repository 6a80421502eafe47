//! Several schedulers and workers at once.

use super::toys::{Script, TestFleet, plain, writer};
use docket::fleet::{
    enqueue::{Notify, enqueue},
    job::NewJob,
    ledger::read,
};
use std::time::Duration;

/// The same mix in each run: a seventh fails once, a few twice, a few always, some panic.
fn script(i: usize) -> Script {
    let fail_first = match i % 70 {
        0..10 => 1,
        10..13 => 2,
        13 => 3,
        _ => 0,
    };
    Script {
        fail_first,
        panic: i.is_multiple_of(401),
        refuse: i.is_multiple_of(997),
        bad_effects: i.is_multiple_of(211),
        ..Script::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_jobs_with_failures_two_schedulers_three_workers() {
    const JOBS: usize = 20_000;
    let mut fleet = TestFleet::new().await;
    let jobs: Vec<NewJob> = (0..JOBS).map(|i| if i % 2 == 0 { writer(script(i)) } else { plain(script(i)) }).collect();
    enqueue(&fleet.client, &jobs, Notify::No).await.unwrap();
    fleet.scheduler();
    fleet.scheduler();
    for _ in 0..3 {
        fleet.worker(16).await;
    }
    // Alone it takes a fraction of this; beside others, on a small machine, more than a minute.
    let settled = "select not exists (select 1 from jobs where finished_at is null)";
    fleet.until_within(Duration::from_mins(5), "settled", settled).await;

    let total = i64::try_from(JOBS).unwrap();
    assert_eq!(fleet.count("select count(*) from jobs").await, total);
    let twice = "select count(*) from (select job_id from effects group by 1 having count(*) > 1) t";
    assert_eq!(fleet.count(twice).await, 0, "effects twice");
    let missing = "select count(*) from jobs j where kind = 'writer' and status = 'completed' \
                   and not exists (select 1 from effects e where e.job_id = j.id)";
    assert_eq!(fleet.count(missing).await, 0, "completed without effects");
    let without = "select count(*) from effects e join jobs j on j.id = e.job_id where j.status <> 'completed'";
    assert_eq!(fleet.count(without).await, 0, "effects without completion");
    assert_eq!(fleet.count("select count(*) from jobs where failures > 3 or losses > 0").await, 0);
    let dead = "select count(*) from jobs where status = 'dead_letter' and failures <> 3";
    assert_eq!(fleet.count(dead).await, 0, "a false dead letter");
    let told: i64 = jobs.iter().map(|job| i64::from(job.args["refuse"] == true)).sum();
    assert_eq!(fleet.count("select count(*) from jobs where status = 'failed'").await, told);
    let told: i64 = jobs.iter().map(|job| i64::from(job.args["fail_first"] == 3 && job.args["refuse"] != true)).sum();
    assert_eq!(fleet.count("select count(*) from jobs where status = 'dead_letter'").await, told);

    let stats = read::exact_stats(&fleet.client).await.unwrap();
    let sum: i64 = stats.lanes.values().map(read::LaneStats::total).sum();
    assert_eq!(sum, total, "the statistics add up: {stats:?}");
    fleet.dead_depth(told.unsigned_abs()).await;
    fleet.stop().await;
}
