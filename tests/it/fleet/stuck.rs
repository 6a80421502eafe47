//! Handlers that don't let go: fenced, told of, and their slots replaced.

use super::toys::{Plain, Script, TestFleet, Writer, plain, writer};
use crate::{broker::support::until, support::metrics};
use docket::{
    db::Statements,
    fleet::{
        handler::{Context, Effects, Handler, HandlerError, Registry},
        job::NewJob,
        ledger::{PgTx, operate},
        retry::RetryPolicy,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

/// Ends the handlers of a test, however the test ends.
#[derive(Clone, Default)]
struct Release(Arc<AtomicBool>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Holds its thread until the test is over: it never waits for anything, so it can't be dropped.
struct Holds {
    /// Burns its processor, or blocks.
    burns: bool,
    until: Arc<AtomicBool>,
}

impl Holds {
    fn hold(&self) {
        // Nobody sends: a wait that blocks its thread.
        let (_never, wait) = mpsc::channel::<()>();
        while !self.until.load(Ordering::Relaxed) {
            if self.burns {
                std::hint::spin_loop();
            } else {
                let _ = wait.recv_timeout(Duration::from_millis(5));
            }
        }
    }
}

/// With a short deadline.
struct Short(Holds);

impl Handler for Short {
    type Args = ();
    type Output = ();
    const KIND: &'static str = "holds_short";
    const TIMEOUT: Duration = Duration::from_millis(500);

    fn retry() -> RetryPolicy {
        RetryPolicy { max_attempts: 1, ..RetryPolicy::default() }
    }

    async fn run(&self, (): (), _ctx: Context) -> Result<(), HandlerError> {
        self.0.hold();
        Ok(())
    }
}

/// With a long one, and effects.
struct Long(Holds);

impl Handler for Long {
    type Args = ();
    type Output = ();
    const KIND: &'static str = "holds_long";

    async fn run(&self, (): (), _ctx: Context) -> Result<(), HandlerError> {
        self.0.hold();
        Ok(())
    }
}

impl Effects<PgTx> for Long {
    async fn apply(&self, tx: &mut PgTx, (): &(), ctx: &Context) -> Result<(), HandlerError> {
        tx.execute("insert into effects (job_id, attempt) values ($1, $2)", &[&ctx.job.0, &ctx.attempt]).await?;
        Ok(())
    }
}

fn kinds(release: &Release, burns: bool) -> Arc<Registry<PgTx>> {
    let holds = || Holds { burns, until: release.0.clone() };
    let registry = Registry::new().with(Plain).with_effects(Writer);
    Arc::new(registry.with(Short(holds())).with_effects(Long(holds())))
}

fn short() -> NewJob {
    Short::job(&()).unwrap()
}

fn long() -> NewJob {
    Long::job(&()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_loop_is_fenced_at_its_deadline_and_its_only_slot_goes_on() {
    metrics();
    let release = Release::default();
    let mut fleet = TestFleet::without_broker().await;
    fleet.worker_with(1, kinds(&release, true)).await;
    let looping = fleet.enqueue(&[short().priority(200)]).await[0];
    fleet.until("it runs", "select exists (select 1 from jobs where status = 'processing')").await;
    let others: Vec<NewJob> = (0..20).map(|_| writer(Script::default())).collect();
    fleet.enqueue(&others).await;
    // The handler still loops: the slot is another one, and so is the thread.
    fleet.until("the slot is replaced", "select count(*) = 20 from jobs where status = 'completed'").await;
    // Its failure is booked by a statement of its own.
    fleet.until("it is fenced", "select exists (select 1 from jobs where status = 'dead_letter')").await;
    assert_eq!(fleet.row(looping).await, "dead_letter failures=1 losses=0 priority=180");
    let error = "select count(*) from jobs where error_class = 'timeout' and last_error like '%deadline%'";
    assert_eq!(fleet.count(error).await, 1);
    until("it is told of", || async { fleet.progress.stuck() >= 1 }).await;
    // Its value is that of whichever worker of this process spoke last.
    assert!(metrics().render().lines().any(|line| line.starts_with("docket_stuck_handlers")), "it has a gauge");
    assert_eq!(fleet.count("select count(*) from effects").await, 20, "none of its own");
    assert_eq!(fleet.count("select count(*) from jobs where losses > 0").await, 0, "the heartbeat went on");
    drop(release);
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_fences_a_handler_that_does_not_listen() {
    let release = Release::default();
    let mut fleet = TestFleet::without_broker().await;
    let worker = fleet.worker_with(1, kinds(&release, false)).await;
    let held = fleet.enqueue(&[long()]).await;
    fleet.until("it runs", "select exists (select 1 from jobs where status = 'processing')").await;
    let asked = tokio::time::Instant::now();
    operate::cancel(&fleet.client, &held, "test").await.unwrap();
    fleet.until("cancelled", "select exists (select 1 from jobs where status = 'cancelled')").await;
    println!("F09: cancelled after {:.2} s", asked.elapsed().as_secs_f64());
    fleet.enqueue(&[plain(Script::default())]).await;
    fleet.until("the slot is replaced", "select exists (select 1 from jobs where status = 'completed')").await;
    // Its result comes now, and nobody wants it.
    drop(release);
    fleet.stop_one(worker).await;
    assert_eq!(fleet.count("select count(*) from effects").await, 0);
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_with_too_many_stuck_handlers_ends_and_another_goes_on() {
    let release = Release::default();
    let mut fleet = TestFleet::without_broker().await;
    let worn = fleet.worker_with(8, kinds(&release, false)).await;
    // Together: when the four count as stuck, the worker takes nothing new.
    let jobs = (0..4).map(|_| short()).chain((0..8).map(|_| plain(Script::default())));
    fleet.enqueue(&jobs.collect::<Vec<_>>()).await;
    fleet.until("they are dead", "select count(*) = 4 from jobs where status = 'dead_letter'").await;
    fleet.settled().await;
    fleet.ends_by_itself(worn).await;
    assert_eq!(fleet.count("select count(*) from workers where state = 'gone'").await, 1, "it drained and signed off");
    fleet.enqueue(&[plain(Script::default())]).await;
    fleet.worker(2).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and losses = 0").await, 9);
    drop(release);
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clogged_worker_gives_back_the_neighbours_and_only_what_clogs_it_pays() {
    let release = Release::default();
    let mut fleet = TestFleet::without_broker().await;
    fleet.protocol.grace = Duration::from_secs(1);
    let threads = std::thread::available_parallelism().unwrap().get() + 4;
    let clogged = fleet.worker_with(32, kinds(&release, false)).await;
    let sleepy = Script { run_ms: 25_000, ..Script::default() };
    let neighbours = fleet.enqueue(&(0..6).map(|_| writer(sleepy.clone())).collect::<Vec<_>>()).await;
    fleet.until("they run", "select count(*) = 6 from jobs where status = 'processing'").await;
    fleet.enqueue(&(0..threads).map(|_| long()).collect::<Vec<_>>()).await;
    fleet.ends_by_itself(clogged).await;
    let free = "select count(*) from jobs where kind = 'writer' and status = 'pending' and losses + failures = 0";
    assert_eq!(fleet.count(free).await, 6, "the neighbours are free");
    assert_eq!(fleet.count("select count(*) from effects").await, 0);
    // R4 finds what the worker kept, and these alone pay.
    fleet.client.batch_execute("update jobs set args = args || '{\"run_ms\": 0}' where kind = 'writer'").await.unwrap();
    fleet.scheduler();
    fleet.worker(2).await;
    let lost = format!("select count(*) = {threads} from jobs where kind = 'holds_long' and losses = 1");
    fleet.until("they pay", &lost).await;
    fleet.until("the neighbours complete", "select count(*) = 6 from jobs where status = 'completed'").await;
    assert_eq!(fleet.count("select count(*) from jobs where kind = 'writer' and losses + failures > 0").await, 0);
    for id in neighbours {
        assert_eq!(fleet.row(id).await, "completed failures=0 losses=0 priority=100");
    }
    drop(release);
    fleet.stop().await;
}
