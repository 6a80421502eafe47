//! Operators act while the fleet works.

use crate::support::{Load, trial};
use docket::fleet::{
    job::JobId,
    ledger::operate::{cancel, pause_lane, resume_lane},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[test]
fn a_storm_of_cancels() {
    trial("F59", "1,000 jobs cancelled at once, waiting and running", async |t| {
        t.scheduler().await;
        t.worker(16).await;
        let mut ids = t.enqueue(&[Load::slow_effect(16, 60_000).priority(900)]).await;
        t.until_status("processing", 16).await;
        ids.extend(t.enqueue(&[Load::effect(984)]).await);
        let ids: Vec<JobId> = ids.into_iter().map(JobId).collect();
        let began = Instant::now();
        cancel(&t.db().await, &ids, "test").await.expect("cancelled");
        t.settled().await;
        let seconds = began.elapsed().as_secs_f64();
        t.measure("cancelled_seconds", seconds);
        let running =
            t.count("select count(*) from jobs where id > $1 and status = 'cancelled' and args->>'ms' = '60000'").await;
        assert_eq!(running, 16, "also those that ran");
        let cancelled = t.count("select count(*) from jobs where id > $1 and status = 'cancelled'").await;
        t.measure("cancelled", cancelled);
        assert!(seconds < 20.0, "{seconds}");
    });
}

#[test]
fn a_paused_lane_starts_nothing() {
    trial("F60", "lane paused and resumed under load", async |t| {
        t.scheduler().await;
        t.worker(8).await;
        t.enqueue(&[Load::slow_effect(400, 20)]).await;
        t.until_status("completed", 20).await;
        pause_lane(&t.db().await, "default", "test").await.expect("paused");
        let paused = Instant::now();
        // What is queued already still runs; nothing new is taken.
        t.until("nothing is on its way",
            "select (not exists (select 1 from jobs where id > $1 and status in ('queued', 'processing')))::int::bigint").await;
        t.measure("quiet_seconds", paused.elapsed().as_secs_f64());
        let started = "select count(*) from jobs where id > $1 and started_at is not null";
        let before = t.count(started).await;
        sleep(Duration::from_secs(3)).await;
        assert_eq!(t.count(started).await, before, "something started in a paused lane");
        resume_lane(&t.db().await, "default", "test").await.expect("resumed");
        let resumed = Instant::now();
        t.until(
            "it goes on",
            &format!("select (count(*) > {before})::int::bigint from jobs where id > $1 and started_at is not null"),
        )
        .await;
        t.measure("resumed_seconds", resumed.elapsed().as_secs_f64());
        t.settled().await;
    });
}
