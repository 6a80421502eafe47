//! The broker dies, loses its data, is purged, falls silent, refuses.

use crate::support::{LONG, Load, Moved, REAL, Trial, metric, trial};
use docket::dev::{
    fleet::Member,
    proxy::{Mode, Way},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// A job a message, where messages must be left in the broker: with many in each, the workers have prefetched them all.
const ALONE: (&str, &str) = ("DOCKET_POINTERS_MIN", "1");

/// A scheduler and a worker that have work under way through the broker.
async fn under_way(t: &mut Trial, env: &[(&str, &str)]) -> (Arc<Member>, Arc<Member>) {
    let (scheduler, worker) = (t.member("scheduler", env).await, t.worker(8).await);
    t.enqueue(&[Load::ok(20)]).await;
    t.settled().await;
    t.dispatches_again(&scheduler, Instant::now()).await;
    t.enqueue(&[Load::effect(600), Load::slow(8, 500)]).await;
    (scheduler, worker)
}

/// Where the broker keeps its data and its log: beside the database.
async fn rabbitmq_dir(t: &Trial) -> PathBuf {
    let database: String = t.db().await.query_one("show data_directory", &[]).await.expect("a name").get(0);
    Path::new(&database).with_file_name("rabbitmq")
}

/// Work goes on, through the broker again, and all ends; how long each took since the fault's end.
async fn recovers(t: &mut Trial, scheduler: &Member, healed: Instant) {
    let works = t.works_again(healed).await;
    t.measure("works_seconds", works);
    let dispatches = t.dispatches_again(scheduler, healed).await;
    t.measure("dispatches_seconds", dispatches);
    t.settled().await;
    t.measure("settled_seconds", healed.elapsed().as_secs_f64());
    assert!(works < 20.0 && dispatches < 30.0, "{works} {dispatches}");
}

#[test]
fn a_restart_in_order() {
    trial("F15", "broker stopped and started in order (stop_app, start_app) under load", async |t| {
        let (scheduler, _) = under_way(t, &[]).await;
        t.fleet().rabbitmq().ctl(&["stop_app"]).await.expect("it stops");
        t.enqueue(&[Load::effect(100)]).await;
        t.fleet().rabbitmq().ctl(&["start_app"]).await.expect("it starts");
        recovers(t, &scheduler, Instant::now()).await;
    });
}

#[test]
fn killed_under_a_load_of_publishes() {
    trial("F16", "broker killed under a load of publishes, and started again with its data", async |t| {
        // RabbitMQ 3.10.8 may bring a queue back without a leader, for good, when its node is killed within moments of the
        // queue's declaration; the test before this one may have declared some.
        sleep(Duration::from_secs(10)).await;
        let (scheduler, _) = under_way(t, &[]).await;
        t.fleet().rabbitmq().kill9().await;
        t.enqueue(&[Load::effect(100)]).await;
        t.works_again(Instant::now()).await;
        t.fleet().rabbitmq().restart().await.expect("it returns");
        recovers(t, &scheduler, Instant::now()).await;
    });
}

#[test]
fn wiped() {
    trial("F17", "broker killed, its data removed, started from its definitions", async |t| {
        let (scheduler, worker) = under_way(t, &[ALONE]).await;
        // Messages that nobody has claimed, so that something is lost with the data.
        worker.broker().set(Way::ToClient, Mode::Stall);
        t.enqueue(&[Load::effect(200)]).await;
        // For a while: what was delivered before the stall is still claimed.
        let stays =
            "select count(*) from jobs where id > $1 and status = 'queued' and queued_at < now() - interval '1 s'";
        t.until("messages in the broker", stays).await;
        t.fleet().rabbitmq().wipe().await.expect("it returns");
        let healed = Instant::now();
        worker.broker().heal();
        recovers(t, &scheduler, healed).await;
        // Which one comes first depends on what the scheduler sees first: a confirm that never came, a new generation, or that
        // there was no queue for a moment.
        assert!(t.rescued("R1").await + t.rescued("R2").await + t.rescued("R3").await > 0);
    });
}

#[test]
fn wiped_and_without_its_definitions() {
    trial("F18", "broker wiped, and its topology gone; put back after 10 s", async |t| {
        let (scheduler, worker) = under_way(t, &[]).await;
        let broker = t.fleet().rabbitmq();
        broker.wipe_bare().await.expect("it returns without the topology");
        let bare = Instant::now();
        let told = async {
            loop {
                // Connected, and nothing to publish to.
                let connected = metric(&scheduler, "docket_amqp_connected", "").await >= 2.0;
                let (_, page) = scheduler.get("/readyz").await.unwrap_or_default();
                if connected && page.contains("degraded") {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(LONG, told).await.expect("it says that something is wrong");
        t.measure("told_seconds", bare.elapsed().as_secs_f64());
        let works = t.works_again(Instant::now()).await;
        t.measure("works_without_topology_seconds", works);
        sleep(Duration::from_secs(10).saturating_sub(bare.elapsed())).await;
        assert!(scheduler.pid().is_some() && worker.pid().is_some(), "nobody crashed of it");
        t.import_topology().await;
        recovers(t, &scheduler, Instant::now()).await;
    });
}

const QUEUES: [&str; 3] = ["docket.default.high", "docket.default.normal", "docket.default.low"];

/// Messages wait in a queue, confirmed and so marked: deliveries get stuck on the way to the worker.
async fn stuck(t: &mut Trial, env: &[(&str, &str)]) -> Arc<Member> {
    let scheduler = t.member("scheduler", &[env, &[ALONE]].concat()).await;
    let worker = t.member(&crate::support::jobs::worker(2), env).await;
    t.dispatches_again(&scheduler, Instant::now()).await;
    t.settled().await;
    worker.broker().set(Way::ToClient, Mode::Stall);
    t.enqueue(&[Load::effect(30)]).await;
    t.until(
        "confirms are marked",
        "select count(*) from job_messages where published_at is not null and worker_id is null",
    )
    .await;
    worker
}

/// Messages of a queue are thrown away; R3 finds out.
async fn purged(t: &mut Trial, env: &[(&str, &str)], bound: f64) {
    let worker = stuck(t, env).await;
    for queue in QUEUES {
        t.fleet().management().purge_queue(t.fleet().vhost(), queue).await.expect("purged");
    }
    let purged = Instant::now();
    worker.broker().heal();
    t.settled().await;
    let seconds = purged.elapsed().as_secs_f64();
    t.measure("settled_seconds", seconds);
    assert!(t.rescued("R3").await > 0, "R3 alone finds a purge");
    assert!(seconds < bound, "{seconds}");
}

#[test]
fn purged_with_the_real_constants() {
    trial("F19", "queues purged (real constants)", async |t| purged(t, REAL, 85.0).await);
}

#[test]
fn purged_with_the_short_constants() {
    trial("F19s", "queues purged (constants five times shorter)", async |t| purged(t, &[], 30.0).await);
}

#[test]
fn deleted_under_its_consumers() {
    trial("F20", "a lane's queues deleted under their consumers; put back after 5 s", async |t| {
        let (scheduler, _) = under_way(t, &[]).await;
        delete_queues(t).await;
        let deleted = Instant::now();
        let works = t.works_again(deleted).await;
        t.measure("works_without_queue_seconds", works);
        sleep(Duration::from_secs(5).saturating_sub(deleted.elapsed())).await;
        t.import_topology().await;
        recovers(t, &scheduler, Instant::now()).await;
    });
}

async fn delete_queues(t: &Trial) {
    for queue in QUEUES {
        t.fleet().management().delete_queue(t.fleet().vhost(), queue).await.expect("deleted");
    }
}

#[test]
fn deleted_with_messages_in_them() {
    trial(
        "F20b",
        "a lane's queues deleted with messages in them, and put back after 2 s (real constants)",
        async |t| {
            let worker = stuck(t, REAL).await;
            delete_queues(t).await;
            let deleted = Instant::now();
            worker.broker().heal();
            sleep(Duration::from_secs(2)).await;
            t.import_topology().await;
            t.settled().await;
            let seconds = deleted.elapsed().as_secs_f64();
            t.measure("settled_seconds", seconds);
            assert!(t.rescued("R3").await > 0, "R3 sees that there is no queue");
            assert!(seconds < 20.0, "{seconds}");
        },
    );
}

#[test]
fn a_queue_with_other_arguments() {
    trial("F21", "a queue that somebody declared with other arguments", async |t| {
        let (fleet, queue) = (t.fleet(), QUEUES[1]);
        let mut definitions = fleet.definitions().clone();
        let queues = definitions["queues"].as_array_mut().expect("queues");
        let wrong = queues.iter_mut().find(|it| it["name"] == queue).expect("the queue");
        wrong["arguments"] = json!({"x-queue-type": "classic", "x-max-priority": 9});
        fleet.management().delete_queue(fleet.vhost(), queue).await.expect("deleted");
        fleet.management().import(fleet.vhost(), &definitions).await.expect("imported");
        for (role, command) in [("scheduler", "scheduler"), ("worker", &crate::support::jobs::worker(2))] {
            let member = t.unready(command, &[]).await;
            let started = Instant::now();
            member.start().expect("it starts");
            let status = member.ended(Duration::from_secs(10)).await.expect("it ends by itself");
            t.measure(&format!("{role}_refused_seconds"), started.elapsed().as_secs_f64());
            let log = member.log_end();
            assert_eq!(status.code(), Some(64), "{log}");
            assert!(log.contains(queue) && log.contains("PRECONDITION_FAILED"), "{log}");
        }
        t.fleet().management().delete_queue(t.fleet().vhost(), queue).await.expect("deleted");
        t.import_topology().await;
    });
}

#[test]
fn silent_for_a_while() {
    trial("F27", "broker stopped (SIGSTOP) for 25 s, five times its heartbeat", async |t| {
        let (scheduler, _) = under_way(t, &[]).await;
        t.fleet().rabbitmq().suspend();
        let silent = Instant::now();
        t.enqueue(&[Load::effect(100)]).await;
        let works = t.works_again(silent).await;
        t.measure("works_during_seconds", works);
        let noticed = async {
            while metric(&scheduler, "docket_amqp_connected", "").await > 0.0 {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(25), noticed).await.expect("the heartbeat tells");
        t.measure("noticed_seconds", silent.elapsed().as_secs_f64());
        sleep(Duration::from_secs(25).saturating_sub(silent.elapsed())).await;
        t.fleet().rabbitmq().resume();
        recovers(t, &scheduler, Instant::now()).await;
    });
}

#[test]
fn connections_closed_by_an_administrator() {
    trial("F29", "all AMQP connections closed by an administrator", async |t| {
        let (scheduler, _) = under_way(t, &[]).await;
        t.fleet().rabbitmq().ctl(&["close_all_connections", "a test"]).await.expect("closed");
        recovers(t, &scheduler, Instant::now()).await;
    });
}

#[test]
fn a_changed_password() {
    trial("F30", "the broker's password changed under running processes for 15 s", async |t| {
        let (scheduler, worker) = under_way(t, &[]).await;
        let url: url::Url = t.fleet().amqp_url().parse().expect("a URL");
        let (user, password) = (url.username().to_owned(), url.password().expect("one").to_owned());
        t.fleet().rabbitmq().ctl(&["change_password", &user, "another"]).await.expect("changed");
        t.fleet().rabbitmq().ctl(&["close_all_connections", "a test"]).await.expect("closed");
        let refused = Instant::now();
        let node = rabbitmq_dir(t).await.join("log/node.log");
        let tries = || fs::read_to_string(&node).expect("a log").matches("login refused").count();
        let before = tries();
        let works = t.works_again(refused).await;
        t.measure("works_without_broker_seconds", works);
        sleep(Duration::from_secs(15).saturating_sub(refused.elapsed())).await;
        let rate = f64::from(u32::try_from(tries() - before).expect("few")) / refused.elapsed().as_secs_f64();
        t.measure("tries_a_second_of_two_processes", rate);
        for member in [&scheduler, &worker] {
            let log = std::fs::read_to_string(member.log()).expect("a log");
            assert!(!log.contains(&password), "the password stands in the log of {}", member.name());
            assert!(log.contains("refuses the user or its password"), "{}", member.log_end());
        }
        t.fleet().rabbitmq().ctl(&["change_password", &user, &password]).await.expect("changed back");
        recovers(t, &scheduler, Instant::now()).await;
        assert!(rate > 0.0 && rate <= 2.0, "{rate}");
    });
}

#[test]
fn a_full_disk() {
    trial("F26", "broker's disk full for 15 s; killed, room made, started again", async |t| {
        let data = rabbitmq_dir(t).await.join("mnesia");
        t.fleet().rabbitmq().stop().await;
        let small = Moved::new("mnesia", &data, 120);
        t.fleet().rabbitmq().restart().await.expect("it starts");
        let (scheduler, worker) = under_way(t, &[]).await;
        small.disk().fill();
        let full = Instant::now();
        t.enqueue(&[Load::effect(300)]).await;
        let works = t.works_again(full).await;
        t.measure("works_during_seconds", works);
        sleep(Duration::from_secs(15).saturating_sub(full.elapsed())).await;
        assert!(scheduler.pid().is_some() && worker.pid().is_some());
        t.fleet().rabbitmq().kill9().await;
        small.disk().free();
        t.fleet().rabbitmq().restart().await.expect("it returns");
        recovers(t, &scheduler, Instant::now()).await;
        t.fleet().rabbitmq().stop().await;
        small.put_back();
        // After a full disk a queue may be without a leader for good at a later start: no data for the tests that follow.
        t.fleet().rabbitmq().wipe().await.expect("it starts");
        t.dispatches_again(&scheduler, Instant::now()).await;
    });
}

/// Sets how long a delivery may stay unacknowledged, in milliseconds, for channels that are opened from now on.
async fn consumer_timeout(t: &Trial, ms: u32) {
    let set = format!("application:set_env(rabbit, consumer_timeout, {ms}).");
    t.fleet().rabbitmq().ctl(&["eval", &set]).await.expect("set");
}

#[test]
fn a_job_that_outlasts_the_consumer_timeout() {
    trial("F28", "consumer timeout of 5 s (looked at each minute), and a job that runs for 70 s", async |t| {
        consumer_timeout(t, 5000).await;
        t.scheduler().await;
        t.worker(1).await;
        let ids = t.enqueue(&[Load::slow(1, 70_000).priority(900)]).await;
        t.until_status("processing", 1).await;
        // Deliveries that find no slot meanwhile: they must not stay unacknowledged either.
        t.enqueue(&[Load::effect(5)]).await;
        t.until_status("completed", 1).await;
        t.settled().await;
        let job = format!(
            "select (status = 'completed' and failures + losses = 0)::int::bigint from jobs where id = {}",
            ids[0]
        );
        assert_eq!(t.count(&job).await, 1, "it was acknowledged when it was claimed");
        let log = fs::read_to_string(rabbitmq_dir(t).await.join("log/node.log")).expect("a log");
        let closed = log.matches("delivery acknowledgement on channel").count();
        t.measure("channels_closed", closed);
        consumer_timeout(t, 1_800_000).await;
        assert_eq!(closed, 0);
    });
}
