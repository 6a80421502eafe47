//! Death around a dead letter: the ledger has it, docket.dead may not, or has it twice.

use crate::support::{Load, died, jobs, trial};
use docket::fleet::crash::Point;
use tokio::time::Instant;

#[test]
fn a_dead_letter_whose_copy_was_never_published_gets_one() {
    trial("F04", "worker dies after the commit of a dead letter, before its copy", async |t| {
        t.scheduler().await;
        let worker = t.mortal(&jobs::worker(4), Point::AfterDeadCommit.as_str()).await;
        t.enqueue(&[Load::fail_always(1)]).await;
        let dead = died(&worker).await;
        t.until("a copy", "select count(*) from jobs where id > $1 and dead_published_gen > 0").await;
        t.measure("copy_seconds", dead.elapsed().as_secs_f64());
        worker.start().expect("it starts again");
    });
}

#[test]
fn a_copy_that_a_worker_did_not_mark_is_there_once_in_the_end() {
    trial("F04b", "worker dies after a dead letter's copy, before its mark", async |t| {
        t.scheduler().await;
        let worker = t.mortal(&jobs::worker(4), Point::BeforeDeadMark.as_str()).await;
        t.enqueue(&[Load::fail_always(1)]).await;
        let dead = died(&worker).await;
        worker.start().expect("it starts again");
        t.until("a mark", "select count(*) from jobs where id > $1 and dead_published_gen > 0").await;
        t.measure("marked_seconds", dead.elapsed().as_secs_f64());
    });
}

#[test]
fn a_copy_that_a_scheduler_did_not_mark_is_there_once_in_the_end() {
    trial("F04c", "scheduler dies after it published missing copies, before their mark", async |t| {
        let scheduler = t.mortal("scheduler", Point::BeforeDeadMark.as_str()).await;
        let worker = t.mortal(&jobs::worker(4), Point::AfterDeadCommit.as_str()).await;
        t.enqueue(&[Load::fail_always(3)]).await;
        died(&worker).await;
        worker.start().expect("it starts again");
        died(&scheduler).await;
        let dead = Instant::now();
        scheduler.start().expect("it starts again");
        t.settled().await;
        t.until("all marked", "select (count(*) = 3)::int::bigint from jobs where id > $1 and dead_published_gen > 0")
            .await;
        t.measure("marked_seconds", dead.elapsed().as_secs_f64());
    });
}
