//! A scheduler dies; another one goes on.

use super::dies_and_returns;
use crate::support::{LONG, Load, Trial, died, trial};
use docket::{
    dev::{
        fleet::Member,
        proxy::{Mode, Way},
    },
    fleet::crash::Point,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// A scheduler that dies at a point.
async fn mortal(t: &mut Trial, point: Point) -> Arc<Member> {
    t.mortal("scheduler", point.as_str()).await
}

#[test]
fn after_the_mark_r1_brings_back_what_was_never_published() {
    trial("F11", "scheduler dies after the mark, before the publish", async |t| {
        t.worker(4).await;
        let scheduler = mortal(t, Point::AfterMark).await;
        t.enqueue(&[Load::effect(50)]).await;
        dies_and_returns(t, &scheduler).await;
        assert!(t.rescued("R1").await > 0, "something was marked");
    });
}

#[test]
fn after_the_publish_the_message_is_as_good_as_any() {
    trial("F12", "scheduler dies after the publish, before its confirm", async |t| {
        t.worker(4).await;
        let scheduler = mortal(t, Point::AfterPublish).await;
        t.enqueue(&[Load::effect(50)]).await;
        dies_and_returns(t, &scheduler).await;
    });
}

#[test]
fn a_confirm_that_nobody_marked_costs_a_second_message_that_is_dropped() {
    trial("F12b", "scheduler dies after the confirm, before it is marked; the message waits meanwhile", async |t| {
        let worker = t.worker(4).await;
        // Deliveries get stuck on the way, so that the messages stay unclaimed until R1 takes their jobs back.
        worker.broker().set(Way::ToClient, Mode::Stall);
        let scheduler = mortal(t, Point::AfterConfirmBeforeMark).await;
        t.enqueue(&[Load::effect(50)]).await;
        let dead = died(&scheduler).await;
        scheduler.start().expect("it starts again");
        let rescued = "select count(*) from job_events where job_id > $1 and actor = 'R1'";
        t.until("R1, which can't know of the confirm", rescued).await;
        worker.broker().heal();
        t.settled().await;
        t.measure("settled_seconds", dead.elapsed().as_secs_f64());
        let dropped = "docket_duplicate_deliveries_total";
        let healed = Instant::now();
        while t.metric(dropped).await < 1.0 {
            assert!(healed.elapsed() < LONG, "the stalled messages arrive after all");
            sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn a_sweep_cut_short_is_finished_by_the_next_one() {
    trial("F11b", "scheduler dies between two rules of a sweep", async |t| {
        let worker = t.worker(8).await;
        let scheduler = mortal(t, Point::MidSweep).await;
        t.enqueue(&[Load::slow(8, 2000), Load::effect(20)]).await;
        t.until_status("processing", 8).await;
        worker.kill9().await;
        // R4 finds the worker's jobs, and the scheduler dies of it.
        let dead = died(&scheduler).await;
        worker.start().expect("it starts again");
        scheduler.start().expect("it starts again");
        t.settled().await;
        t.measure("settled_seconds", dead.elapsed().as_secs_f64());
        assert!(t.rescued("R4").await > 0);
    });
}

#[test]
fn a_generation_that_only_the_broker_knows_is_found_by_the_next_scheduler() {
    trial(
        "F17b",
        "broker wiped; scheduler dies between the new generation at the broker and in the ledger",
        async |t| {
            t.worker(2).await;
            let scheduler = t.scheduler().await;
            t.enqueue(&[Load::effect(20)]).await;
            t.settled().await;
            let generation = t.count("select generation::bigint from broker_state").await;
            scheduler.kill9().await;
            t.fleet().rabbitmq().wipe().await.expect("the broker returns");
            let mortal = mortal(t, Point::BeforeGenerationMark).await;
            t.enqueue(&[Load::effect(20)]).await;
            let dead = died(&mortal).await;
            let unchanged = t.count("select generation::bigint from broker_state").await;
            assert_eq!(unchanged, generation, "the ledger was not told");
            scheduler.start().expect("it starts again");
            let after = format!("select (generation > {generation})::int::bigint from broker_state");
            t.until("a new generation", &after).await;
            t.settled().await;
            t.measure("settled_seconds", dead.elapsed().as_secs_f64());
            t.dispatches_again(&scheduler, dead).await;
        },
    );
}
