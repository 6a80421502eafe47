//! Many jobs in one message: each keeps a claim, an outcome, retries and a dead letter of its own.

use super::toys::{Script, TestFleet, plain, writer};
use docket::fleet::job::{JobId, NewJob};
use std::time::Duration;
use tokio::time::sleep;

/// Sent as one or two messages: what fails, panics, is refused, snoozes or runs long says nothing about its neighbours.
#[tokio::test]
async fn every_job_of_a_message_ends_for_itself() {
    let mut fleet = TestFleet::new().await;
    (fleet.protocol.pointers_min, fleet.protocol.pointers_max) = (32, 32);
    let scripts = [
        Script::default(),
        Script { fail_first: 1, ..Script::default() },
        Script { fail_first: 3, ..Script::default() },
        Script { refuse: true, ..Script::default() },
        Script { panic: true, ..Script::default() },
        Script { discard: true, ..Script::default() },
        Script { snooze_ms: 50, ..Script::default() },
        Script { run_ms: 300, ..Script::default() },
    ];
    let jobs: Vec<NewJob> = scripts.iter().flat_map(|s| [plain(s.clone()), writer(s.clone())]).collect();
    let ids = fleet.enqueue(&jobs).await;
    fleet.worker(8).await;
    fleet.scheduler();
    fleet.settled().await;
    let rows = [
        "completed failures=0 losses=0 priority=100",
        "completed failures=1 losses=0 priority=80",
        "dead_letter failures=3 losses=0 priority=-20",
        "failed failures=1 losses=0 priority=100",
        "completed failures=1 losses=0 priority=80",
        "cancelled failures=0 losses=0 priority=100",
        "completed failures=0 losses=0 priority=100",
        "completed failures=0 losses=0 priority=100",
    ];
    for (two, row) in ids.chunks(2).zip(rows) {
        assert_eq!([fleet.row(two[0]).await, fleet.row(two[1]).await], [row, row]);
    }
    let effects = "select count(*) from effects e join jobs j on j.id = e.job_id where j.status = 'completed'";
    assert_eq!(fleet.count(effects).await, 5, "of each writer that completed, once");
    assert_eq!(fleet.count("select count(*) from effects").await, 5);
    fleet.dead_depth(2).await;
    fleet.until("nothing is left in flight", "select not exists (select 1 from job_messages)").await;
    fleet.stop().await;
}

/// A fleet whose jobs travel together.
async fn a_fleet_of_messages() -> TestFleet {
    let mut fleet = TestFleet::new().await;
    (fleet.protocol.pointers_min, fleet.protocol.pointers_max) = (32, 32);
    // A direct lease takes a job for each slot, alone.
    fleet.protocol.direct_lease = Duration::from_mins(1);
    fleet
}

/// Has these run, each to its end.
async fn written(fleet: &TestFleet, scripts: &[Script]) -> Vec<JobId> {
    let ids = fleet.enqueue(&scripts.iter().cloned().map(writer).collect::<Vec<_>>()).await;
    fleet.settled().await;
    let first = ids.iter().map(|id| id.0).min().unwrap();
    let rows = fleet.count(&format!("select count(*) from effects where job_id >= {first}")).await;
    let jobs = fleet.count(&format!("select count(distinct job_id) from effects where job_id >= {first}")).await;
    assert_eq!((rows, jobs), (scripts.len() as i64, scripts.len() as i64));
    ids
}

/// So often is it tried: until the broker has a consumer, the worker leases the jobs one by one; and a message falls apart
/// when its transaction takes a second, or its first jobs a tenth of one, as they may on a busy machine.
const ROUNDS: usize = 40;
const PAUSE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn effects_of_a_message_are_one_transaction() {
    let mut fleet = a_fleet_of_messages().await;
    // As many jobs are queued as there are slots, at first: fewer slots, and each job would be picked alone.
    fleet.worker(16).await;
    fleet.scheduler();
    let mut fewest = i64::MAX;
    for _ in 0..ROUNDS {
        let ids = written(&fleet, &vec![Script::default(); 12]).await;
        assert_eq!(fleet.row(ids[0]).await, "completed failures=0 losses=0 priority=100");
        let sql = format!("select count(distinct xmin::text) from effects where job_id >= {}", ids[0].0);
        fewest = fewest.min(fleet.count(&sql).await);
        if fewest == 1 {
            break;
        }
        sleep(PAUSE).await;
    }
    assert_eq!(fewest, 1, "transactions of twelve jobs");
    fleet.stop().await;
}

/// What the others had written with it is undone, and written again without it.
#[tokio::test]
async fn effects_that_fail_are_their_own_jobs_failure() {
    let mut fleet = a_fleet_of_messages().await;
    let mut scripts = vec![Script::default(); 12];
    scripts[5].bad_effects = true;
    fleet.worker(16).await;
    fleet.scheduler();
    let (mut applied, mut most) = (0, 0);
    for _ in 0..ROUNDS {
        let ids = written(&fleet, &scripts).await;
        for (id, script) in ids.into_iter().zip(&scripts) {
            let (failures, priority) = if script.bad_effects { (1, 80) } else { (0, 100) };
            assert_eq!(fleet.row(id).await, format!("completed failures={failures} losses=0 priority={priority}"));
        }
        let before = std::mem::replace(&mut applied, fleet.count("select last_value from applies").await);
        most = most.max(applied - before);
        if most > 13 {
            break;
        }
        sleep(PAUSE).await;
    }
    assert!(most > 13, "twelve effects and one that failed were written {most} times: nothing was undone");
    fleet.stop().await;
}

/// A fleet without processes, and a slow job with so many others behind it that may travel with it.
async fn a_slow_job_before(others: usize) -> (TestFleet, JobId) {
    let mut fleet = TestFleet::new().await;
    (fleet.protocol.pointers_min, fleet.protocol.pointers_max) = (16, 16);
    let slow = plain(Script { run_ms: 60_000, ..Script::default() });
    let ids = fleet.enqueue(&[vec![slow], vec![plain(Script::default()); others]].concat()).await;
    (fleet, ids[0])
}

/// A kind that was short so far, and of which one suddenly runs long, holds up nobody. It is the first of its message.
#[tokio::test]
async fn what_waits_behind_a_slow_job_goes_to_the_next_free_slot() {
    let (mut fleet, slow) = a_slow_job_before(15).await;
    fleet.worker(2).await;
    fleet.scheduler();
    fleet.until("all but the slow one are done", "select count(*) = 15 from jobs where status = 'completed'").await;
    let message = format!("select message_id from jobs where id = {}", slow.0);
    let together = format!("select count(*) from jobs where message_id = ({message})");
    assert!(fleet.count(&together).await > 1, "it travelled with others");
    assert!(fleet.row(slow).await.starts_with("processing"));
    fleet.stop().await;
}

/// A worker whose slots are all taken for long keeps no job from the others.
#[tokio::test]
async fn what_waits_behind_a_slow_job_and_finds_no_slot_goes_to_another_worker() {
    let (mut fleet, slow) = a_slow_job_before(3).await;
    fleet.worker(1).await;
    fleet.scheduler();
    let started = format!("select status = 'processing' from jobs where id = {}", slow.0);
    fleet.until("the slow one runs", &started).await;
    fleet.worker(1).await;
    fleet.until("the others are done", "select count(*) = 3 from jobs where status = 'completed'").await;
    assert!(fleet.row(slow).await.starts_with("processing"));
    assert_eq!(fleet.count("select sum(failures + losses)::bigint from jobs").await, 0, "at no cost");
    fleet.stop().await;
}
