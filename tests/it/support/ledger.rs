//! A migrated schema, and jobs in any state.

use docket::{
    db::{self, Pool, PoolOptions, PoolPurpose},
    fleet::{
        enqueue::enqueue_one,
        job::{JobId, NewJob, Status},
    },
    telemetry::Metrics,
};
use serde_json::json;
use std::sync::OnceLock;
use tokio_postgres::{Client, Config};

use super::TestDb;

/// The metrics of this test process.
pub(crate) fn metrics() -> Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| Metrics::install().expect("the first and only time")).clone()
}

/// The sum of a page's samples whose name and labels begin with this.
pub(crate) fn sum(page: &str, series: &str) -> f64 {
    let samples = page.lines().filter(|line| line.starts_with(series));
    samples.map(|line| line.rsplit(' ').next().expect("a value").parse::<f64>().expect("a number")).sum()
}

/// A migrated schema without jobs.
pub(crate) struct TestLedger {
    pub(crate) db: TestDb,
    pub(crate) url: String,
    pub(crate) config: Config,
    pub(crate) client: Client,
    pub(crate) pool: Pool,
}

impl TestLedger {
    pub(crate) async fn new() -> Self {
        let db = TestDb::migrated().await;
        let (url, config) = (db.url().to_owned(), db.config());
        let client = db::connect(&config).await.expect("connects");
        let pool = db::pool(&config, PoolOptions::new(PoolPurpose::General, 4));
        Self { db, url, config, client, pool }
    }

    /// A second session.
    pub(crate) async fn connect(&self) -> Client {
        db::connect(&self.config).await.expect("connects")
    }

    /// A pending job of this kind.
    pub(crate) async fn job(&self, kind: &str) -> JobId {
        self.enqueue(NewJob::new(kind, &json!({"n": 1})).expect("JSON")).await
    }

    pub(crate) async fn enqueue(&self, job: NewJob) -> JobId {
        enqueue_one(&self.client, job).await.expect("enqueues").id()
    }

    /// A job that went, by legal steps, to this state.
    pub(crate) async fn job_in(&self, status: Status) -> JobId {
        let id = self.job("greet").await;
        self.bring(id, status).await;
        id
    }

    /// Takes a pending job to a state, step by step.
    pub(crate) async fn bring(&self, id: JobId, status: Status) {
        let way: &[Status] = match status {
            Status::Pending => &[],
            Status::Queued | Status::Cancelled => &[status],
            Status::Processing => &[Status::Queued, status],
            _ => &[Status::Queued, Status::Processing, status],
        };
        for &step in way {
            assert!(self.step(id, step, 1).await.is_ok(), "{step} is a legal step");
        }
    }

    /// One step, with all that the shape of the target asks for; the guard has the last word.
    pub(crate) async fn step(&self, id: JobId, to: Status, epochs: i32) -> Result<u64, tokio_postgres::Error> {
        let set = match to {
            Status::Pending => {
                "round = round + 1, message_id = null, finished_at = null, failed_at = null, dead_published_gen = null"
            }
            Status::Queued => {
                "message_id = 1, queued_at = now(), finished_at = null, failed_at = null, dead_published_gen = null"
            }
            Status::Processing => {
                "message_id = 1, worker_id = 7, started_at = now(), finished_at = null, failed_at = null, \
                 dead_published_gen = null"
            }
            Status::Completed | Status::Cancelled => {
                "finished_at = now(), failed_at = null, dead_published_gen = null, hold = null"
            }
            Status::Failed => "finished_at = now(), failed_at = now(), dead_published_gen = null, hold = null",
            Status::DeadLetter => "finished_at = now(), failed_at = now(), dead_published_gen = 0, hold = null",
        };
        let sql = format!("update jobs set status = '{to}', epoch = epoch + {epochs}, {set} where id = $1");
        self.client.execute(&sql, &[&id.0]).await
    }

    /// One value of a job's row, as text.
    pub(crate) async fn column(&self, id: JobId, column: &str) -> Option<String> {
        let sql = format!("select ({column})::text from jobs where id = $1");
        self.client.query_one(&sql, &[&id.0]).await.expect("the row is there").get(0)
    }

    pub(crate) async fn status(&self, id: JobId) -> Status {
        self.column(id, "status").await.expect("never null").parse().expect("a state")
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.client.batch_execute(sql).await.expect(sql);
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.expect(sql).get(0)
    }
}
