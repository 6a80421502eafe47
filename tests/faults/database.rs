//! The database restarts, dies, fills up, locks, and does not say whether it has committed.

use crate::support::{LONG, Load, Moved, Trial, in_time, trial};
use docket::dev::{
    fleet::{Member, terminate_backends},
    proxy::{Sprung, Trap},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

async fn under_way(t: &mut Trial) -> (Arc<Member>, Arc<Member>) {
    let (scheduler, worker) = (t.scheduler().await, t.worker(8).await);
    t.enqueue(&[Load::effect(600), Load::ok(300), Load::slow(8, 1000)]).await;
    t.until_status("completed", 20).await;
    (scheduler, worker)
}

async fn recovers(t: &mut Trial, healed: Instant, bound: f64) {
    let works = t.works_again(healed).await;
    t.measure("works_seconds", works);
    t.settled().await;
    t.measure("settled_seconds", healed.elapsed().as_secs_f64());
    assert!(works < bound, "{works}");
}

#[test]
fn a_fast_restart() {
    trial("F31", "database restarted (fast) under load", async |t| {
        under_way(t).await;
        t.fleet().postgres().restart_fast().await.expect("it returns");
        recovers(t, Instant::now(), 20.0).await;
    });
}

#[test]
fn killed() {
    trial("F32", "database killed (kill -9), down for 5 s, started again", async |t| {
        let (scheduler, worker) = under_way(t).await;
        t.fleet().postgres().kill9().await;
        sleep(Duration::from_secs(5)).await;
        assert!(scheduler.pid().is_some() && worker.pid().is_some(), "they wait for it");
        t.fleet().postgres().start().await.expect("it recovers");
        recovers(t, Instant::now(), 20.0).await;
    });
}

#[test]
fn sessions_terminated_at_random() {
    trial("F33", "all sessions terminated each 0.3 s for 15 s", async |t| {
        under_way(t).await;
        let (began, mut ended) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(15) {
            t.enqueue(&[Load::effect(5)]).await;
            ended += terminate_backends(&t.db().await).await.expect("the database is well");
            sleep(Duration::from_millis(300)).await;
        }
        t.measure("sessions_terminated", ended);
        recovers(t, Instant::now(), 20.0).await;
        assert!(ended > 50, "{ended}");
    });
}

async fn sprung(what: &str, trap: &mut Sprung) {
    let sprung = timeout(LONG, trap.wait()).await;
    assert!(matches!(sprung, Ok(true)), "{what} never happened");
}

#[test]
fn a_commit_without_an_answer() {
    trial("F34", "connection cut at COMMIT of effects: three times committed, three times not", async |t| {
        t.scheduler().await;
        let worker = t.worker(4).await;
        for trap in [Trap::commit_unknown(), Trap::commit_lost()] {
            for nth in 1..=3 {
                let mut trap = worker.database().trap(trap.clone().nth(nth));
                t.enqueue(&[Load::effect(10)]).await;
                sprung("a commit", &mut trap).await;
            }
        }
        recovers(t, Instant::now(), 20.0).await;
        let cost = t.count("select count(*) from jobs where id > $1 and failures > 0").await;
        assert_eq!(cost, 0, "an unknown commit is nobody's failure");
    });
}

#[test]
fn statements_without_an_answer() {
    trial(
        "F34c",
        "connection cut after a claim, a completion, a failure, a pick, a sweep, a heartbeat was done",
        async |t| {
            let (scheduler, worker) = (t.scheduler().await, t.worker(4).await);
            let of_worker = [
                ("a claim", "update job_messages set worker_id = $3"),
                ("a completion", "set status = 'completed'"),
                ("a failure", "failures = j.failures + 1"),
                ("a heartbeat", "update workers set beat = beat + 1"),
            ];
            for (what, text) in of_worker {
                let mut trap = worker.database().trap(Trap::answer_lost(text));
                t.enqueue(&[Load::ok(10), Load::effect(5), Load::fail_once(2)]).await;
                sprung(what, &mut trap).await;
            }
            for (what, text) in [("a pick", "with recursive top as materialized"), ("a lift", "update jobs")] {
                let mut trap = scheduler.database().trap(Trap::answer_lost(text));
                t.enqueue(&[Load::ok(10), Load::effect(5), Load::fail_once(2)]).await;
                sprung(what, &mut trap).await;
            }
            recovers(t, Instant::now(), 20.0).await;
        },
    );
}

/// Takes all the room that the database has.
async fn hog(t: &Trial, hogs: &mut Vec<Client>) {
    let begun = Instant::now();
    while let Ok(client) = in_time("a connection or its refusal", t.fleet().connect()).await {
        assert!(begun.elapsed() < LONG, "there is always room for one more");
        hogs.push(client);
    }
}

#[test]
fn no_connection_left() {
    trial("F36", "all connections of the database taken by others for 10 s", async |t| {
        let (scheduler, worker) = under_way(t).await;
        terminate_backends(&t.db().await).await.expect("the database is well");
        let mut hogs = Vec::new();
        hog(t, &mut hogs).await;
        let hogged = Instant::now();
        // Those who come back find no room, and take what becomes free; so the room is taken again and again.
        let mut slowest = Duration::ZERO;
        while hogged.elapsed() < Duration::from_secs(10) {
            let asked = Instant::now();
            for member in [&scheduler, &worker] {
                let (status, _) = member.get("/livez").await.expect("it answers");
                assert_eq!(status, 200, "it waits, and is alive");
            }
            slowest = slowest.max(asked.elapsed());
            hog(t, &mut hogs).await;
            sleep(Duration::from_millis(200)).await;
        }
        t.measure("connections_hogged", hogs.len());
        t.measure("livez_slowest_seconds", slowest.as_secs_f64());
        drop(hogs);
        recovers(t, Instant::now(), 20.0).await;
    });
}

#[test]
fn a_table_locked_by_an_administrator() {
    trial("F37", "table jobs locked by an administrator for 30 s", async |t| {
        let (scheduler, worker) = under_way(t).await;
        let admin = t.db().await;
        admin.batch_execute("begin; lock table jobs in access exclusive mode").await.expect("locked");
        let locked = Instant::now();
        while locked.elapsed() < Duration::from_secs(30) {
            for member in [&scheduler, &worker] {
                assert_eq!(member.get("/livez").await.expect("it answers").0, 200);
            }
            sleep(Duration::from_millis(500)).await;
        }
        admin.batch_execute("rollback").await.expect("unlocked");
        recovers(t, Instant::now(), 20.0).await;
    });
}

#[test]
fn a_full_disk() {
    trial("F35", "disk of the database's log full until it shuts down; room made, started again", async |t| {
        let data: String = t.db().await.query_one("show data_directory", &[]).await.expect("a name").get(0);
        t.fleet().postgres().stop().await;
        let small = Moved::new("wal", &Path::new(&data).join("pg_wal"), 64);
        t.fleet().postgres().start().await.expect("it starts");
        let (scheduler, worker) = under_way(t).await;
        small.disk().fill();
        let full = Instant::now();
        // The log's next file is what there is no room for.
        let db = t.db().await;
        let write = "select pg_switch_wal(); create table if not exists filler (n int); insert into filler values (1)";
        while in_time("a write or its end", db.batch_execute(write)).await.is_ok() {
            assert!(full.elapsed() < LONG, "it still finds room");
        }
        t.measure("down_after_seconds", full.elapsed().as_secs_f64());
        sleep(Duration::from_secs(10)).await;
        let refused = t.fleet().connect().await;
        t.measure("refuses_connections", refused.is_err());
        assert!(scheduler.pid().is_some() && worker.pid().is_some(), "they wait for it");
        assert_eq!(worker.get("/livez").await.expect("it answers").0, 200);
        small.disk().free();
        t.fleet().postgres().kill9().await;
        t.fleet().postgres().start().await.expect("it recovers");
        recovers(t, Instant::now(), 20.0).await;
        t.fleet().postgres().stop().await;
        small.put_back();
        t.fleet().postgres().start().await.expect("it starts");
        t.works_again(Instant::now()).await;
    });
}
