//! The audit: each disorder is made, seen, healed or told, and gone.

mod queues;
mod rows;

use super::toys::TestFleet;
use docket::{
    db::{self, PoolOptions, PoolPurpose},
    fleet::audit::{self, AuditSettings, Class, Verdict},
};
use std::time::Duration;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// The audit of a test fleet, as a scheduler process would run it.
struct Auditor {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Auditor {
    fn start(fleet: &TestFleet) -> Self {
        let stop = CancellationToken::new();
        let pool = db::pool(&fleet.db.config(), PoolOptions::new(PoolPurpose::Engine, 1));
        let settings = AuditSettings::new(fleet.lanes.clone(), &fleet.protocol);
        let (broker, token) = (fleet.broker(), stop.clone());
        let task = tokio::spawn(async move {
            audit::watch(pool, broker.clone(), settings, token).await;
            broker.shutdown().await;
        });
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// The last verdict, however old.
async fn verdict(fleet: &TestFleet) -> Option<Verdict> {
    audit::verdict(&fleet.client, Duration::from_hours(1)).await.unwrap()
}

/// Waits until the audit says so; returns how long that took.
async fn until(fleet: &TestFleet, what: &str, is: impl Fn(&Verdict) -> bool) -> Duration {
    let since = Instant::now();
    let mut last = None;
    while since.elapsed() < Duration::from_mins(3) {
        last = verdict(fleet).await;
        if last.as_ref().is_some_and(&is) {
            return since.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}; the last verdict is {last:?}");
}

/// Waits until the audit counts so many of a class.
async fn counted(fleet: &TestFleet, class: Class, jobs: u64) -> Duration {
    until(fleet, &format!("{jobs} {class:?}"), |verdict| verdict.count(class) == jobs).await
}

/// Waits until every job is accounted for again, and prints what was measured.
async fn accounted(fleet: &TestFleet, class: Class, seen: Duration) {
    let healed = until(fleet, "all accounted for", |verdict| verdict.accounted).await;
    println!("{}: seen after {seen:?}, back to 0 after {healed:?} (protocol five times shorter)", class.as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_at_work_is_accounted_for_at_every_look() {
    use super::toys::{Script, plain, writer};
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let auditor = Auditor::start(&fleet);
    let (mut looks, mut last) = (0, String::new());
    while looks < 6 {
        let failing = Script { fail_first: 9, ..Script::default() };
        let slow = Script { run_ms: 300, ..Script::default() };
        let jobs: Vec<_> =
            (0..20).map(|_| plain(slow.clone())).chain([plain(failing), writer(Script::default())]).collect();
        fleet.enqueue(&jobs).await;
        let kept = "select judged_at::text from audit_verdict";
        fleet.until("another verdict", &format!("select coalesce(({kept}) <> '{last}', false)")).await;
        last = fleet.client.query_one(kept, &[]).await.unwrap().get(0);
        let verdict = verdict(&fleet).await.unwrap();
        assert!(verdict.accounted, "at look {looks}: {verdict:?}");
        looks += 1;
    }
    fleet.settled().await;
    auditor.stop().await;
    fleet.stop().await;
}
