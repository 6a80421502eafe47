//! Processes die, stand still, stop in order, and meet each other.

use crate::support::{LONG, Load, REAL, Trial, jobs, promise, trial};
use docket::{
    dev::{fleet::Member, proxy::Doors},
    fleet::crash::Point,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// The largest number that a query answers until the jobs of the test have ended.
async fn peak_until_settled(t: &Trial, sql: &str) -> i64 {
    let mut peak = 0;
    let watch = async {
        loop {
            peak = peak.max(t.count(sql).await);
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = t.settled() => {}
        () = watch => {}
    }
    peak
}

const QUEUED: &str = "select count(*) from jobs where status = 'queued' and id > $1";

#[test]
fn a_killed_workers_jobs_start_again_elsewhere_within_a_lease_and_little_more() {
    trial("F01", "worker killed in the middle of a handler (real constants)", async |t| {
        t.member("scheduler", REAL).await;
        let doomed = t.member(&jobs::worker(2), REAL).await;
        let ids = t.enqueue(&[Load::slow(2, 4000)]).await;
        t.until_status("processing", 2).await;
        t.member(&jobs::worker(2), REAL).await;
        doomed.kill9().await;
        let killed = Instant::now();
        let again =
            "select (count(*) = 2)::int::bigint from jobs where id > $1 and losses = 1 and status = 'processing'";
        t.until("both run again", again).await;
        let seconds = killed.elapsed().as_secs_f64();
        t.measure("restart_seconds", seconds);
        assert!(seconds < 25.0, "a lease is 15 s: {seconds}");
        assert_eq!(ids.len(), 2);
    });
}

#[test]
fn a_worker_that_slept_through_its_lease_is_refused() {
    trial("F05", "worker stopped for 60 s with a result in hand, then continued (real constants)", async |t| {
        t.member("scheduler", REAL).await;
        let zombie = t.unready(&jobs::worker(1), REAL).await;
        zombie.start_with(&[("DOCKET_STALL_AT", Point::AfterHandler.as_str())]).expect("it starts");
        zombie.ready(LONG).await.expect("ready");
        t.enqueue(&[Load::effect(1)]).await;
        t.until_status("processing", 1).await;
        let stopped = Instant::now();
        t.member(&jobs::worker(4), REAL).await;
        t.settled().await;
        t.measure("done_elsewhere_seconds", stopped.elapsed().as_secs_f64());
        sleep(Duration::from_secs(60).saturating_sub(stopped.elapsed())).await;
        zombie.resume();
        let woken = Instant::now();
        let refused = async {
            while crate::support::metric(&zombie, "docket_fenced_writes_total", "").await < 1.0 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(LONG, refused).await.expect("its late result is refused");
        t.measure("refused_seconds", woken.elapsed().as_secs_f64());
        t.works_again(woken).await;
    });
}

/// A worker that stands still with effects written and not committed: its session locks the row, and nobody ends it.
fn asleep_in_a_transaction(id: &'static str, what: &'static str, with_broker: bool) {
    trial(id, what, async |t| {
        let zombie = t.unready(&jobs::worker(4), &[]).await;
        if with_broker {
            t.scheduler().await;
        } else {
            zombie.broker().doors(Doors::Refuse);
        }
        zombie.start_with(&[("DOCKET_STALL_AT", Point::AfterEffectBeforeCommit.as_str())]).expect("it starts");
        zombie.ready(LONG).await.expect("ready");
        t.enqueue(&[Load::slow(3, 1000), Load::effect(1)]).await;
        let asleep = "select count(*) from pg_stat_activity
                      where state = 'idle in transaction' and datname = current_database()";
        t.until("a session that is idle in a transaction", asleep).await;
        let stopped = Instant::now();
        t.worker(4).await;
        if !with_broker {
            t.scheduler().await;
        }
        t.settled().await;
        let seconds = stopped.elapsed().as_secs_f64();
        t.measure("settled_seconds", seconds);
        zombie.broker().heal();
        zombie.resume();
        t.works_again(Instant::now()).await;
        assert!(seconds < 25.0, "{seconds}");
    });
}

#[test]
fn a_worker_that_sleeps_in_an_open_transaction_holds_nobody_up_for_long() {
    asleep_in_a_transaction(
        "F38",
        "worker stopped with effects written and not committed; its transaction locks the row",
        true,
    );
}

#[test]
fn nor_does_one_whose_transaction_locks_one_of_several_leased_jobs() {
    asleep_in_a_transaction(
        "F38b",
        "worker stopped with effects written and not committed, after a direct lease of several jobs",
        false,
    );
}

#[test]
fn all_workers_at_once() {
    trial("F06", "three workers killed at once under load, and started again", async |t| {
        t.scheduler().await;
        let mut workers = Vec::new();
        for _ in 0..3 {
            workers.push(t.worker(4).await);
        }
        t.enqueue(&[Load::effect(200), Load::slow(12, 500)]).await;
        t.until_status("completed", 20).await;
        for worker in &workers {
            worker.kill9().await;
        }
        let killed = Instant::now();
        workers.iter().for_each(|worker| worker.start().expect("it starts again"));
        t.settled().await;
        t.measure("settled_seconds", killed.elapsed().as_secs_f64());
    });
}

#[test]
fn a_shutdown_under_load_costs_no_job_anything() {
    trial("F10", "worker told to stop (SIGTERM) under load", async |t| {
        t.scheduler().await;
        let worker = t.worker(8).await;
        t.enqueue(&[Load::slow(4, 60_000).priority(900), Load::effect(400)]).await;
        t.until_status("completed", 20).await;
        let told = Instant::now();
        worker.terminate();
        let status = worker.ended(LONG).await.expect("it ends");
        t.measure("exit_seconds", told.elapsed().as_secs_f64());
        assert!(status.success(), "{status}: {}", worker.log_end());
        let cost = t.count("select count(*) from jobs where id > $1 and (failures > 0 or losses > 0)").await;
        assert_eq!(cost, 0, "the four that outlast the grace period go back for nothing");
        let held = t.count("select count(*) from jobs where id > $1 and status = 'processing'").await;
        assert_eq!(held, 0, "it gave back what it held");
        // Nobody wants to wait a minute for them.
        let slow = "select id from jobs where id > $1 and finished_at is null and args->>'ms' = '60000'";
        let rows = t.db().await.query(slow, &[&t.first()]).await.expect("rows");
        let ids: Vec<_> = rows.iter().map(|row| docket::fleet::job::JobId(row.get(0))).collect();
        docket::fleet::ledger::operate::cancel(&t.db().await, &ids, "test").await.expect("cancelled");
        t.worker(8).await;
    });
}

/// Schedulers that all do the same, and workers that are busy.
async fn schedulers(t: &mut Trial, number: usize) -> Vec<Arc<Member>> {
    let mut schedulers = Vec::new();
    for _ in 0..number {
        schedulers.push(t.unready("scheduler", &[]).await);
    }
    schedulers.iter().for_each(|scheduler| scheduler.start().expect("it starts"));
    for scheduler in &schedulers {
        scheduler.ready(LONG).await.expect("ready");
    }
    schedulers
}

#[test]
fn a_scheduler_that_wakes_up_does_not_overfill_the_window() {
    trial("F13", "one of two schedulers stopped for 12 s, four leases, and continued under load", async |t| {
        let schedulers = schedulers(t, 2).await;
        t.worker(8).await;
        t.enqueue(&[Load::effect(2000)]).await;
        t.until_status("completed", 10).await;
        schedulers[0].suspend();
        let stop = Instant::now();
        t.enqueue(&[Load::ok(500)]).await;
        sleep(Duration::from_secs(12)).await;
        schedulers[0].resume();
        t.enqueue(&[Load::ok(500)]).await;
        let peak = peak_until_settled(t, QUEUED).await;
        t.measure("stopped_seconds", stop.elapsed().as_secs_f64());
        t.measure("queued_peak", peak);
        promise::window(t, peak, 2).await;
    });
}

#[test]
fn eight_schedulers_do_the_work_of_one() {
    trial("F14", "eight schedulers at once", async |t| {
        schedulers(t, 8).await;
        t.worker(8).await;
        t.enqueue(&[Load::effect(1000), Load::ok(1000)]).await;
        let began = Instant::now();
        let peak = peak_until_settled(t, QUEUED).await;
        t.measure("settled_seconds", began.elapsed().as_secs_f64());
        t.measure("queued_peak", peak);
        promise::window(t, peak, 8).await;
    });
}

#[test]
fn a_scheduler_that_dies_is_not_missed() {
    trial("F11c", "the only scheduler killed; workers go on by direct lease", async |t| {
        let scheduler = t.scheduler().await;
        t.worker(4).await;
        t.works_again(Instant::now()).await;
        scheduler.kill9().await;
        let killed = Instant::now();
        let seconds = t.works_again(killed).await;
        t.measure("works_on_seconds", seconds);
        assert!(t.metric("docket_direct_leases_total").await > 0.0);
    });
}

#[test]
fn an_older_worker_gives_back_what_it_does_not_know() {
    trial("F61", "rolling upgrade: workers without a kind beside workers that know it", async |t| {
        t.scheduler().await;
        // The civic worker knows none of the tests' kinds, as an older version would.
        let old = t.member("worker --slots 4", &[]).await;
        t.enqueue(&[Load::effect(20)]).await;
        t.until("they wait", "select (count(*) = 20)::int::bigint from jobs where id > $1 and hold = 'unknown_kind'")
            .await;
        let new = t.worker(4).await;
        let began = Instant::now();
        t.settled().await;
        t.measure("done_seconds_after_the_new_worker_came", began.elapsed().as_secs_f64());
        // The new one goes again, while its kinds are on their way.
        new.terminate();
        t.enqueue(&[Load::effect(20)]).await;
        new.ended(LONG).await.expect("it ends");
        assert_eq!(t.count("select count(*) from jobs where id > $1 and failures + losses > 0").await, 0);
        new.start().expect("it starts again");
        t.settled().await;
        assert!(old.pid().is_some(), "the old one is well");
    });
}

#[test]
fn a_point_that_is_none_is_refused_at_the_start() {
    trial("F00", "DOCKET_CRASH_AT names no point", async |t| {
        let scheduler = t.unready("scheduler", &[("DOCKET_CRASH_AT", "after_lunch")]).await;
        scheduler.start().expect("it starts");
        let status = scheduler.ended(LONG).await.expect("it ends");
        assert_eq!(status.code(), Some(64));
        assert!(scheduler.log_end().contains("after_lunch"), "{}", scheduler.log_end());
        // A point that nobody passes hurts nobody.
        let worker = t.member(&jobs::worker(1), &[("DOCKET_CRASH_AT", "after_strays:9")]).await;
        t.enqueue(&[Load::ok(1)]).await;
        t.settled().await;
        assert!(worker.pid().is_some());
        worker.kill9().await;
    });
}
