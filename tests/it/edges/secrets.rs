//! Six secrets, each planted where an operator or a vendor puts one, and a run with all that can go wrong: none of them
//! is in a log, a metric, an answer, an error, a row or a message afterwards.

use super::{
    planted::{self, Planted},
    process::{PATIENCE, Process, get},
};
use crate::{
    cli::process::docket,
    support::{TestLedger, TestVhost, unique},
};
use docket::{
    dev::city::{CitySpec, DemoCity},
    fleet::{
        broker::{Topology, definitions},
        job::NewJob,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, time::Duration};
use tokio::time::{sleep, timeout};
use url::Url;

/// Libraries are loud as well: an operator in trouble asks for it.
pub(super) const LOUD: &str =
    "debug,lapin=debug,hyper=debug,hyper_util=debug,reqwest=debug,tokio_postgres=debug,rustls=debug,h2=debug";

/// Everything that was said, and by whom.
#[derive(Default)]
pub(super) struct Said(pub(super) Vec<(String, String)>);

impl Said {
    pub(super) fn add(&mut self, who: impl Into<String>, text: impl Into<String>) {
        self.0.push((who.into(), text.into()));
    }

    pub(super) fn holds_nothing_of(&self, secrets: &Planted) {
        for (who, text) in &self.0 {
            for secret in secrets.all() {
                let at = text.find(secret);
                let near = |at: usize| {
                    let from = text.floor_char_boundary(at.saturating_sub(200));
                    text[from..text.floor_char_boundary(at + 60)].replace(secret, "<<here>>")
                };
                assert!(at.is_none(), "{who} tells a secret: {}", at.map(near).unwrap_or_default());
            }
        }
    }
}

pub(super) fn with_login(url: &str, user: &str, password: &str) -> String {
    let mut url: Url = url.parse().unwrap();
    url.set_username(user).unwrap();
    url.set_password(Some(password)).unwrap();
    url.into()
}

/// Accounts with the planted passwords.
async fn accounts(db: &TestLedger, vhost: &TestVhost, secrets: &Planted) -> [String; 3] {
    let name = unique("planted");
    db.sql(&format!("create role {name} login superuser password '{}'", secrets.database)).await;
    let account = |password: &str, tags: &str| json!({"password": password, "tags": tags});
    let rights = json!({"configure": ".*", "write": ".*", "read": ".*"});
    for (name, password, tags) in
        [(&name, &secrets.amqp, ""), (&format!("{name}_m"), &secrets.management, "administrator")]
    {
        vhost.call(Method::PUT, &format!("users/{name}"), &account(password, tags)).await;
        vhost.call(Method::PUT, &format!("permissions/{}/{name}", vhost.name()), &rights).await;
    }
    let management = &crate::support::services().await.management_url;
    [
        with_login(&db.url, &name, &secrets.database),
        with_login(vhost.url(), &name, &secrets.amqp),
        with_login(management, &format!("{name}_m"), &secrets.management),
    ]
}

/// Every table of the schema as text, and what docket.dead holds.
async fn stored(db: &TestLedger, vhost: &TestVhost, said: &mut Said) {
    let tables = "select table_name::text from information_schema.tables where table_schema = current_schema()";
    for row in db.client.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let all = format!("select coalesce(string_agg(t::text, E'\\n'), '') from \"{table}\" t");
        said.add(format!("table {table}"), db.client.query_one(&all, &[]).await.unwrap().get::<_, String>(0));
    }
    let ask = json!({"count": 100, "ackmode": "ack_requeue_true", "encoding": "auto"});
    let dead = vhost.call(Method::POST, &format!("queues/{}/docket.dead/get", vhost.name()), &ask).await;
    assert!(dead.as_array().is_some_and(|messages| !messages.is_empty()), "there is a dead letter to look at: {dead}");
    said.add("docket.dead", dead.to_string());
}

/// What the API and the operations endpoints tell.
async fn answered(server: &Process, others: &[&Process], token: &str, said: &mut Said) {
    let page = async |addr, path: &str, token| get(&format!("http://{addr}{path}"), token).await.expect("an answer");
    let (status, jobs) = page(server.addr, "/api/jobs?limit=500", Some(token)).await;
    assert_eq!(status, 200, "{jobs}");
    let jobs: Value = serde_json::from_str(&jobs).unwrap();
    let ids = jobs["items"].as_array().unwrap().iter().map(|job| format!("/api/jobs/{}", job["id"]));
    let fixed = [
        "/api/jobs?limit=500",
        "/api/jobs?kind=%00",
        "/api/dead-letters",
        "/api/lanes",
        "/api/queue-stats",
        "/api/openapi.json",
        "/nowhere",
    ];
    for path in fixed.iter().map(ToString::to_string).chain(ids) {
        said.add(&path, page(server.addr, &path, Some(token)).await.1);
    }
    let wrong = format!("{token}x");
    let (status, refused) = page(server.addr, "/api/jobs", Some(&wrong)).await;
    assert_eq!(status, 401);
    said.add("a wrong token", refused);
    for process in others.iter().chain([&server]) {
        for path in ["/metrics", "/livez", "/readyz"] {
            said.add(path, page(process.addr, path, Some(token)).await.1);
        }
    }
}

/// Waits until a count is zero.
async fn until_none(db: &TestLedger, what: &str) {
    let sql = format!("select count(*) from jobs where {what}");
    let none = async {
        while db.number(&sql).await > 0 {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(2 * PATIENCE, none).await.unwrap_or_else(|_| panic!("there are still jobs that are {what}"));
}

/// A city whose model refuses its key, documents of a site that means harm, and names that a log line would break at.
async fn work(db: &TestLedger, city: &DemoCity, site: u16) {
    docket::civic::store::cities::add(&db.client, &city.city()).await.unwrap();
    let settings = docket::civic::settings::CivicSettings::default();
    docket::civic::enqueue_sync(&db.client, &city.city().slug, &settings).await.unwrap();
    for path in planted::PATHS {
        let url = format!("http://127.0.0.1:{site}{path}");
        let args = json!({"reference": 1, "revision": 1, "url": url, "vendor": "legistar"});
        db.enqueue(NewJob { max_attempts: 1, ..NewJob::new("fetch_document", &args).unwrap() }).await;
    }
    let odd = json!({"text": "one\ntwo\u{1b}[31m\r\n{\"level\":60}"});
    db.enqueue(NewJob::new("sync_city", &odd).unwrap()).await;
    until_none(db, "finished_at is null").await;
    until_none(db, "dead_published_gen = 0").await;
    for class in ["forbidden", "malformed", "refused_address", "invalid_args"] {
        let failed = db.number(&format!("select count(*) from jobs where error_class = '{class}'")).await;
        assert!(failed > 0, "no job ended as {class}: a stranger did not do his part");
    }
}

/// What an operator in trouble asks.
const COMMANDS: [&str; 10] = [
    "doctor --json",
    "doctor",
    "topology check",
    "topology plan",
    "config show",
    "config show --json",
    "lanes list",
    "workers list",
    "dead list",
    "jobs list --json",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_with_all_its_troubles_tells_no_secret() {
    let (secrets, mut said) = (Planted::new(), Said::default());
    let db = TestLedger::new().await;
    let vhost = TestVhost::new(&definitions(&Topology::new(["default"]).unwrap(), "/", &[])).await;
    let [database, amqp, management] = accounts(&db, &vhost, &secrets).await;
    let city = DemoCity::start(&CitySpec { slow: Duration::from_millis(10), ..CitySpec::default() }).await.unwrap();
    let (model, site) = (planted::model(&secrets).await, planted::site(&secrets).await);
    let dir = tempfile::tempdir().unwrap();
    let prices = dir.path().join("prices.json");
    fs::write(&prices, planted::PRICES).unwrap();
    let allowed = format!("{}:{},127.0.0.1:{site}", city.allowed().host, city.allowed().port);
    let vars = [
        ("DATABASE_URL", database.as_str()),
        ("AMQP_URL", &amqp),
        ("DOCKET_HTTP_TOKEN", &secrets.token),
        ("DOCKET_OPENAI_KEY", &secrets.key),
        ("DOCKET_OPENAI_URL", &model),
        ("DOCKET_OPENAI_MODEL", "planted"),
        ("DOCKET_PRICES_FILE", prices.to_str().unwrap()),
        ("DOCKET_SUMMARISER", "openai"),
        ("DOCKET_ALLOW_HOSTS", &allowed),
        ("DOCKET_LOG", LOUD),
    ];
    let (scheduler, worker) = (Process::start("scheduler", &vars).await, Process::start("worker", &vars).await);
    let server = Process::start("server", &vars).await;
    work(&db, &city, site).await;
    for line in COMMANDS {
        let command = vars.iter().fold(docket(line), |d, (name, value)| d.env(name, value));
        let ended = command.env("DOCKET_MANAGEMENT_URL", &management).run().await;
        assert!(!ended.stderr.contains("Usage: "), "it looked at nothing: {ended:?}");
        said.add(format!("docket {line}"), format!("{}{}", ended.stdout, ended.stderr));
    }
    answered(&server, &[&scheduler, &worker], &secrets.token, &mut said).await;
    stored(&db, &vhost, &mut said).await;
    // Connections end under all of them at once.
    db.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename like 'planted_%'").await;
    for (name, process) in [("server", server), ("worker", worker), ("scheduler", scheduler)] {
        let log = process.stop().await;
        planted::is_one_line_an_event(&log);
        said.add(format!("the log of the {name}"), log);
    }
    said.holds_nothing_of(&secrets);
    let bytes: usize = said.0.iter().map(|(_, text)| text.len()).sum();
    assert!(bytes > 100_000, "only {bytes} bytes were looked through");
    eprintln!("6 secrets, {} texts of {} KiB: none found", said.0.len(), bytes / 1024);
}
