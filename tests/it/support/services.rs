//! The private PostgreSQL and RabbitMQ of this test process, started by the first test that wants them.
//!
//! They end with the process, however it ends. `DOCKET_TEST_DATABASE_URL`, or `DOCKET_TEST_AMQP_URL` together with
//! `DOCKET_TEST_MANAGEMENT_URL`, name servers to use instead; schemas and virtual hosts of tests that fail stay there.

use std::path::Path;
use std::sync::OnceLock;

use docket::dev::{Services, ServicesSpec, down};
use serde_json::json;

/// Cargo's directory for the files of integration tests.
const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

/// The state directory of a test process is this and the process's number.
const PREFIX: &str = "it-";

/// Where the tests' servers are.
pub(crate) struct TestServices {
    /// A database in which a test makes a schema, see [`super::TestDb`].
    pub(crate) database_url: String,
    /// A broker on which a test makes a virtual host, see [`super::TestVhost`].
    pub(crate) amqp_url: String,
    /// The broker's management API, with user and password.
    pub(crate) management_url: String,
    private: Services,
}

impl TestServices {
    /// Waits until the broker answers, about 10 s after the first test asked for services.
    pub(crate) async fn wait_broker(&self) {
        self.private.wait_broker().await.unwrap();
    }
}

/// The services of this process; PostgreSQL accepts connections, the broker may need [`TestServices::wait_broker`].
pub(crate) async fn services() -> &'static TestServices {
    static SERVICES: OnceLock<TestServices> = OnceLock::new();
    let started = tokio::task::spawn_blocking(|| SERVICES.get_or_init(start)).await;
    started.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Runs on a runtime of its own: that of the first test ends with that test.
fn start() -> TestServices {
    let env = |name| std::env::var(name).ok();
    let (database, amqp) = (env("DOCKET_TEST_DATABASE_URL"), env("DOCKET_TEST_AMQP_URL"));
    let spec = ServicesSpec {
        dir: Path::new(TEMPORARY).join(format!("{PREFIX}{}", std::process::id())),
        keep: false,
        postgres: database.is_none(),
        rabbitmq: amqp.is_none().then(|| json!({})),
        durable: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sweep());
    let private = runtime.block_on(Services::start(spec)).unwrap_or_else(|error| panic!("{error:#}"));
    let own = |url: Option<&str>| url.map(str::to_owned);
    TestServices {
        database_url: database.or_else(|| own(private.database_url())).unwrap(),
        amqp_url: amqp.or_else(|| own(private.amqp_url())).unwrap(),
        management_url: env("DOCKET_TEST_MANAGEMENT_URL")
            .or_else(|| own(private.management_url()))
            .expect("DOCKET_TEST_AMQP_URL needs DOCKET_TEST_MANAGEMENT_URL beside it"),
        private,
    }
}

/// Removes the state directories of test processes that are gone.
async fn sweep() {
    for entry in std::fs::read_dir(TEMPORARY).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Two test processes may sweep at the same time.
            drop(down(&entry.path()).await);
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
