//! A small fleet in this process, and kinds that do what a test tells them.

use crate::support::{TestDb, TestVhost};
use docket::{
    db::Statements,
    fleet::{
        Progress,
        broker::{AmqpBroker, BrokerSettings, Topology, definitions},
        enqueue::{Notify, enqueue},
        handler::{Context, Effects, ErrorClass, Handler, HandlerError, Registry},
        job::{JobId, NewJob},
        ledger::{LedgerConnections, PgLedger, PgTx},
        ports::{Broker, Retention},
        retry::RetryPolicy,
        scheduler::{Scheduler, SchedulerSettings},
        settings::Protocol,
        worker::{Worker, WorkerSettings},
    },
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};
use tokio_util::sync::CancellationToken;

/// What a toy job does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Script {
    /// Fails in its first attempts.
    pub(crate) fail_first: i16,
    /// Fails for good at once.
    pub(crate) refuse: bool,
    /// Panics in its first attempt.
    pub(crate) panic: bool,
    /// Runs for so long.
    pub(crate) run_ms: u64,
    /// Its effects fail in its first attempt, after having written.
    pub(crate) bad_effects: bool,
    /// Asks to be run later, in its first attempt.
    pub(crate) snooze_ms: u64,
    /// Gives itself up.
    pub(crate) discard: bool,
}

fn quick() -> RetryPolicy {
    RetryPolicy { base: Duration::from_millis(50), cap: Duration::from_millis(200), ..RetryPolicy::default() }
}

async fn act(script: &Script, ctx: &Context) -> Result<(), HandlerError> {
    tokio::time::sleep(Duration::from_millis(script.run_ms)).await;
    let first = ctx.attempt == 1;
    if script.panic && first {
        panic!("as told");
    }
    if script.refuse {
        return Err(HandlerError::non_retryable(ErrorClass::NotFound, "as told, for good"));
    }
    if script.discard {
        return Err(HandlerError::Discard("as told".into()));
    }
    if script.snooze_ms > 0 && ctx.epoch < 4 {
        return Err(HandlerError::Snooze(Duration::from_millis(script.snooze_ms)));
    }
    if ctx.attempt <= script.fail_first {
        return Err(HandlerError::retryable(ErrorClass::ServerError, format!("as told, attempt {}", ctx.attempt)));
    }
    Ok(())
}

/// Without effects: completed in batches.
pub(crate) struct Plain;

impl Handler for Plain {
    type Args = Script;
    type Output = i64;
    const KIND: &'static str = "plain";

    fn retry() -> RetryPolicy {
        quick()
    }

    async fn run(&self, script: Script, ctx: Context) -> Result<i64, HandlerError> {
        act(&script, &ctx).await?;
        Ok(ctx.job.0)
    }
}

/// Writes a row into `effects` in its own completing transaction.
pub(crate) struct Writer;

impl Handler for Writer {
    type Args = Script;
    type Output = Script;
    const KIND: &'static str = "writer";

    fn retry() -> RetryPolicy {
        quick()
    }

    async fn run(&self, script: Script, ctx: Context) -> Result<Script, HandlerError> {
        act(&script, &ctx).await?;
        Ok(script)
    }
}

impl Effects<PgTx> for Writer {
    async fn apply(&self, tx: &mut PgTx, script: &Script, ctx: &Context) -> Result<(), HandlerError> {
        // A rollback takes back the row, and not the number.
        let sql = "insert into effects (job_id, attempt) select $1, $2 from nextval('applies')";
        tx.execute(sql, &[&ctx.job.0, &ctx.attempt]).await?;
        if script.bad_effects && ctx.attempt == 1 {
            return Err(HandlerError::retryable(ErrorClass::Database, "as told, in the effects"));
        }
        Ok(())
    }
}

/// Never stops by itself.
pub(crate) struct Endless;

impl Handler for Endless {
    type Args = ();
    type Output = ();
    const KIND: &'static str = "endless";
    const TIMEOUT: Duration = Duration::from_millis(500);

    fn retry() -> RetryPolicy {
        RetryPolicy { max_attempts: 1, ..quick() }
    }

    async fn run(&self, (): (), _ctx: Context) -> Result<(), HandlerError> {
        std::future::pending().await
    }
}

pub(crate) fn registry() -> Arc<Registry<PgTx>> {
    Arc::new(Registry::new().with(Plain).with(Endless).with_effects(Writer))
}

/// A schema, a virtual host, and the processes that work there.
pub(crate) struct TestFleet {
    pub(crate) db: TestDb,
    pub(crate) vhost: Option<TestVhost>,
    amqp: String,
    /// Whom schedulers and workers are to the broker.
    pub(crate) scheduler_amqp: String,
    pub(crate) worker_amqp: String,
    pub(crate) client: Client,
    pub(crate) protocol: Protocol,
    pub(crate) lanes: Vec<String>,
    /// That of all its workers.
    pub(crate) progress: Progress,
    pub(crate) retention: Retention,
    /// Of the ledger of each process.
    pub(crate) connections: LedgerConnections,
    /// Whom schedulers and workers connect as.
    pub(crate) scheduler_login: Config,
    pub(crate) worker_login: Config,
    running: Vec<(CancellationToken, JoinHandle<()>)>,
}

impl TestFleet {
    /// With a broker.
    pub(crate) async fn new() -> Self {
        Self::with(TestDb::migrated().await).await
    }

    /// With a broker, on a schema that is there.
    pub(crate) async fn with(db: TestDb) -> Self {
        let topology = Topology::new(["default"]).unwrap();
        let vhost = TestVhost::new(&definitions(&topology, "/", &[])).await;
        let amqp = vhost.url().to_owned();
        Self { vhost: Some(vhost), ..Self::assemble(db, amqp).await }
    }

    /// Its broker's address refuses connections.
    pub(crate) async fn without_broker() -> Self {
        Self::on("amqp://guest:guest@127.0.0.1:9/%2f".into()).await
    }

    /// On a broker of the test's own.
    pub(crate) async fn on(amqp: String) -> Self {
        Self::assemble(TestDb::migrated().await, amqp).await
    }

    async fn assemble(db: TestDb, amqp: String) -> Self {
        let client = db.connect().await;
        client
            .batch_execute("create table effects (job_id bigint, attempt smallint); create sequence applies")
            .await
            .unwrap();
        let login = db.config();
        Self {
            db,
            vhost: None,
            scheduler_amqp: amqp.clone(),
            worker_amqp: amqp.clone(),
            amqp,
            client,
            protocol: Protocol::five_times_shorter(),
            scheduler_login: login.clone(),
            worker_login: login,
            lanes: vec!["default".into()],
            progress: Progress::default(),
            retention: Retention::default(),
            connections: LedgerConnections::default(),
            running: Vec::new(),
        }
    }

    pub(crate) fn ledger(&self) -> PgLedger {
        self.ledger_as(&self.db.config())
    }

    fn ledger_as(&self, login: &Config) -> PgLedger {
        PgLedger::new(login, self.protocol.clone(), self.connections)
    }

    pub(crate) fn broker(&self) -> AmqpBroker {
        self.broker_as(&self.amqp)
    }

    pub(crate) fn broker_as(&self, url: &str) -> AmqpBroker {
        let settings = BrokerSettings::from(&self.protocol);
        AmqpBroker::start(&url.to_owned().into(), settings, &CancellationToken::new()).unwrap()
    }

    /// Declares a generation at the broker, as a scheduler does when it first meets one.
    pub(crate) async fn broker_has_generation(&self, generation: i32) {
        let broker = self.broker();
        broker.wait_ready(Duration::from_mins(1)).await.unwrap();
        broker.declare_generation(generation).await.unwrap();
        broker.shutdown().await;
    }

    /// A scheduler, as a process would run it.
    pub(crate) fn scheduler(&mut self) {
        let stop = CancellationToken::new();
        let wake = docket::db::listen(self.scheduler_login.clone(), stop.clone());
        let settings = SchedulerSettings {
            name: "test".into(),
            lanes: self.lanes.clone(),
            retention: self.retention.clone(),
            progress: Progress::default(),
        };
        let ledger = self.ledger_as(&self.scheduler_login);
        let (broker, protocol) = (self.broker_as(&self.scheduler_amqp), self.protocol.clone());
        let token = stop.clone();
        let task = tokio::spawn(async move {
            Scheduler::run(ledger, broker.clone(), settings, protocol, wake, token).await;
            broker.shutdown().await;
        });
        self.running.push((stop, task));
    }

    /// A worker. Returns its place among the running processes.
    pub(crate) async fn worker(&mut self, slots: u32) -> usize {
        self.worker_with(slots, registry()).await
    }

    /// A worker of these kinds.
    pub(crate) async fn worker_with(&mut self, slots: u32, registry: Arc<Registry<PgTx>>) -> usize {
        let stop = CancellationToken::new();
        let broker = self.broker_as(&self.worker_amqp);
        let (lanes, retention, progress) = (self.lanes.clone(), self.retention.clone(), self.progress.clone());
        let settings = WorkerSettings { name: "test".into(), lanes, slots, retention, progress };
        let wake = docket::db::listen(self.worker_login.clone(), stop.clone()).subscribe();
        let (ledger, protocol) = (self.ledger_as(&self.worker_login), self.protocol.clone());
        let worker = Worker::start(ledger, broker.clone(), registry, settings, protocol, wake, stop.clone()).await;
        let worker = worker.unwrap().unwrap();
        let task = tokio::spawn(async move {
            worker.stopped().await;
            broker.shutdown().await;
        });
        self.running.push((stop, task));
        self.running.len() - 1
    }

    /// Ends one process cleanly.
    pub(crate) async fn stop_one(&mut self, index: usize) {
        let (stop, task) = &mut self.running[index];
        stop.cancel();
        task.await.unwrap();
        self.running.remove(index);
    }

    /// Waits until a process has ended by itself.
    pub(crate) async fn ends_by_itself(&mut self, index: usize) {
        let (_, task) = &mut self.running[index];
        tokio::time::timeout(Duration::from_mins(1), task).await.expect("it ends").unwrap();
        self.running.remove(index);
    }

    /// Ends all of them.
    pub(crate) async fn stop(mut self) {
        while !self.running.is_empty() {
            self.stop_one(0).await;
        }
    }

    pub(crate) async fn enqueue(&self, jobs: &[NewJob]) -> Vec<JobId> {
        let enqueued = enqueue(&self.client, jobs, Notify::Yes).await.unwrap();
        enqueued.into_iter().map(docket::fleet::enqueue::Enqueued::id).collect()
    }

    /// One number from the database.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// `status failures losses priority epoch` of a job.
    pub(crate) async fn row(&self, id: JobId) -> String {
        let sql = "select format('%s failures=%s losses=%s priority=%s', status, failures, losses, priority) from jobs where id = $1";
        self.client.query_one(sql, &[&id.0]).await.unwrap().get(0)
    }

    /// Waits until a query answers true; a minute is far more than anything here takes.
    pub(crate) async fn until(&self, what: &str, sql: &str) {
        self.until_within(Duration::from_mins(1), what, sql).await;
    }

    /// The same, for much work at once: gives up after `patience` at the earliest.
    pub(crate) async fn until_within(&self, patience: Duration, what: &str, sql: &str) {
        for _ in 0..patience.as_millis() / 50 {
            if self.client.query_one(sql, &[]).await.unwrap().get::<_, bool>(0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never: {what}; {}", self.summary().await);
    }

    /// Waits until no job is open.
    pub(crate) async fn settled(&self) {
        self.until("settled", "select not exists (select 1 from jobs where finished_at is null)").await;
    }

    async fn summary(&self) -> String {
        let sql = "select coalesce(string_agg(format('%s/%s: %s', status, coalesce(hold::text, ''), n), ', '), '') \
                   from (select status, hold, count(*) n from jobs group by 1, 2) t";
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until docket.dead holds so many messages.
    pub(crate) async fn dead_depth(&self, expected: u64) {
        let broker = self.broker();
        broker.wait_ready(Duration::from_secs(20)).await.unwrap();
        for _ in 0..300 {
            if broker.dead_depth().await.ok() == Some(expected) {
                return broker.shutdown().await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("docket.dead never held {expected}: {:?}", broker.dead_depth().await);
    }
}

/// A job of [`Plain`].
pub(crate) fn plain(script: Script) -> NewJob {
    Plain::job(&script).unwrap()
}

/// A job of [`Writer`].
pub(crate) fn writer(script: Script) -> NewJob {
    Writer::job(&script).unwrap()
}
