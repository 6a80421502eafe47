//! A worker dies; another one, or the same started again, takes over.

use super::dies_and_returns;
use crate::support::{LONG, Load, Trial, jobs, trial};
use docket::{
    dev::{
        fleet::Member,
        proxy::{Doors, End, Trap},
    },
    fleet::{
        crash::Point,
        ledger::operate::{pause_lane, resume_lane},
    },
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A worker that dies at a point.
async fn mortal(t: &mut Trial, slots: u32, point: Point) -> Arc<Member> {
    t.mortal(&jobs::worker(slots), point.as_str()).await
}

/// Jobs with effects, run by one worker that dies at the point.
fn dies_with_effects(id: &'static str, what: &'static str, point: Point) {
    trial(id, what, async |t| {
        t.scheduler().await;
        let worker = mortal(t, 4, point).await;
        t.enqueue(&[Load::effect(30)]).await;
        dies_and_returns(t, &worker).await;
    });
}

#[test]
fn between_the_claim_and_its_ack_the_lease_owns_the_jobs() {
    trial("F03", "worker dies after the claim's commit, before its ack", async |t| {
        t.scheduler().await;
        let worker = mortal(t, 4, Point::AfterClaim).await;
        t.enqueue(&[Load::effect(30)]).await;
        dies_and_returns(t, &worker).await;
        assert!(t.rescued("R4").await > 0, "it had claimed something");
    });
}

#[test]
fn before_the_handler_ran() {
    dies_with_effects("F01b", "worker dies as a handler begins", Point::MidHandler);
}

#[test]
fn between_the_handlers_end_and_its_booking() {
    dies_with_effects("F02b", "worker dies after a handler's end, before anything is booked", Point::AfterHandler);
}

#[test]
fn effects_without_their_commit_never_were() {
    dies_with_effects("F02", "worker dies after the effects, before their commit", Point::AfterEffectBeforeCommit);
}

#[test]
fn effects_whose_commit_the_worker_never_heard_of_are_there_once() {
    dies_with_effects("F03b", "worker dies after the commit of effects, before it hears of it", Point::AfterCommit);
}

#[test]
fn completions_that_the_worker_never_heard_of_are_booked_once() {
    trial("F03c", "worker dies after a batch of completions, before it hears of it", async |t| {
        t.scheduler().await;
        let worker = mortal(t, 4, Point::AfterCompletion).await;
        t.enqueue(&[Load::ok(30)]).await;
        dies_and_returns(t, &worker).await;
    });
}

#[test]
fn after_a_direct_lease_nothing_is_lost_without_a_message() {
    trial("F01c", "worker dies after a direct lease; no broker", async |t| {
        let worker = t.unready(&jobs::worker(4), &[]).await;
        worker.broker().doors(Doors::Refuse);
        worker.start_with(&[("DOCKET_CRASH_AT", Point::AfterDirectLease.as_str())]).expect("it starts");
        let scheduler = t.unready("scheduler", &[]).await;
        scheduler.broker().doors(Doors::Refuse);
        scheduler.start().expect("it starts");
        t.enqueue(&[Load::effect(30)]).await;
        dies_and_returns(t, &worker).await;
        assert!(t.rescued("R4").await > 0, "it had leased something");
        [worker, scheduler].iter().for_each(|member| member.broker().heal());
    });
}

#[test]
fn a_suspect_whose_worker_dies_pays_and_runs_again() {
    trial("F07b", "worker dies after the lease of a suspect", async |t| {
        t.scheduler().await;
        let worker = mortal(t, 4, Point::AfterSuspectLease).await;
        let db = t.db().await;
        pause_lane(&db, "default", "test").await.expect("paused");
        let ids = t.enqueue(&[Load::effect(11)]).await;
        // It has lost two workers already; two attempts say so.
        db.batch_execute(&jobs::suspect(ids[0])).await.expect("a row of ours");
        resume_lane(&db, "default", "test").await.expect("resumed");
        dies_and_returns(t, &worker).await;
        let losses = t.count(&format!("select losses::bigint from jobs where id = {}", ids[0])).await;
        assert_eq!(losses, 3, "it was alone, so its worker's death is its own");
    });
}

/// A worker whose only slot is taken gets deliveries that wait, and hands them back after two seconds.
fn dies_handing_back(id: &'static str, what: &'static str, point: Point) {
    trial(id, what, async |t| {
        t.scheduler().await;
        let worker = mortal(t, 1, point).await;
        t.enqueue(&[Load::slow(1, 8000).priority(900)]).await;
        t.until_status("processing", 1).await;
        t.enqueue(&[Load::effect(5)]).await;
        dies_and_returns(t, &worker).await;
    });
}

#[test]
fn before_deliveries_are_handed_back() {
    dies_handing_back("F03d", "worker dies as it is about to hand deliveries back", Point::BeforeHandBack);
}

#[test]
fn between_the_hand_back_and_its_ack() {
    dies_handing_back("F03e", "worker dies after it handed deliveries back, before their ack", Point::AfterHandBack);
}

#[test]
fn after_a_heartbeat() {
    trial("F01d", "worker dies after a heartbeat", async |t| {
        t.scheduler().await;
        // The first beats come before it is ready; it dies some seconds later, with jobs in hand.
        let at = format!("{}:15", Point::AfterHeartbeat.as_str());
        let worker = t.mortal(&jobs::worker(4), &at).await;
        t.enqueue(&[Load::slow(40, 1500), Load::effect(10)]).await;
        dies_and_returns(t, &worker).await;
    });
}

#[test]
fn after_strays_went_back_their_messages_go_too() {
    trial("F34b", "worker dies after it gave rows back that it does not hold (R6)", async |t| {
        t.scheduler().await;
        let worker = mortal(t, 2, Point::AfterStrays).await;
        // A direct lease whose answer is lost: the ledger thinks that the worker holds the jobs.
        worker.broker().doors(Doors::Refuse);
        worker.broker().cut(End::Reset);
        let lease = "insert into job_messages (id, lane, kind, band, worker_id";
        for _ in 0..20 {
            // It asks for due jobs again and again; the next time, there are some.
            t.enqueue(&[Load::effect(2)]).await;
            let mut lost = worker.database().trap(Trap::answer_lost(lease));
            // It may die of the strays of the round before, and then it leases nothing more.
            tokio::select! {
                sprung = lost.wait() => assert!(sprung, "the trap stays until it springs"),
                ended = worker.ended(LONG) => {
                    ended.expect("it leases due jobs, or it has ended");
                    break;
                }
            }
            if worker.ended(Duration::from_secs(4)).await.is_ok() {
                break;
            }
        }
        worker.broker().heal();
        // A trap may be left that the dead one never came to.
        worker.database().heal();
        dies_and_returns(t, &worker).await;
    });
}

#[test]
fn in_the_middle_of_a_shutdown() {
    trial("F10b", "worker is killed while it drains", async |t| {
        t.scheduler().await;
        let worker = mortal(t, 4, Point::OnShutdown).await;
        t.enqueue(&[Load::slow(4, 3000), Load::effect(10)]).await;
        t.until_status("processing", 4).await;
        let told = Instant::now();
        worker.terminate();
        dies_and_returns(t, &worker).await;
        assert!(told.elapsed() < LONG);
    });
}
