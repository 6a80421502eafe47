//! `docket demo` as a user runs it: real processes, real times.

use docket::{
    dev::city::Five,
    fleet::{
        job::JobId,
        ledger::operate::{discard, pause_lane, requeue, resume_lane},
    },
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::Client;
use serde_json::{Value, json};
use std::{fs, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};

/// Far more than the half minute that it takes.
const PATIENCE: Duration = Duration::from_mins(5);

fn demo(dir: &Path, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    // Variables for tests are none of Docket's.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DOCKET_")) {
        command.env_remove(name);
    }
    command
        .args(["demo", "--json", "--dir"])
        .arg(dir)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Its one line, and its exit code.
async fn finish(child: Child) -> (Value, Option<i32>) {
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "one line and nothing else: {text}");
    (serde_json::from_str(&text).unwrap(), output.status.code())
}

/// What must be the same however a fleet is disturbed: not the time it took; not the requests and calls, as an attempt that was
/// lost with its worker is made again; not who paid for the outage before the breaker opened; and not which summaries of the
/// city that spends its budget were paid for.
fn undisturbed(report: &Value) -> Value {
    assert!(report["site_requests"].as_u64() > Some(50) && report["model_calls"].as_u64() > Some(50));
    assert!(report["seconds"].is_number() && report["retries"].as_u64() >= Some(2));
    assert!(report["held_by_budget"].as_u64() >= Some(1));
    let causes = report["causes"].as_array().unwrap();
    assert!(causes.len() == 3 && causes.iter().all(|cause| cause["cause"] != ""), "{causes:?}");
    let city = |row: &Value| {
        let summaries = if row["city"] == "cedar-mesa" { &Value::Null } else { &row["summaries"] };
        assert!(row["spent_micro_usd"].as_i64() > Some(0), "{row}");
        json!([row["city"], row["meetings"], row["cancelled"], row["items"], summaries, row["last_listing"]])
    };
    let cities: Vec<Value> = report["cities"].as_array().unwrap().iter().map(city).collect();
    let jobs = &report["jobs"];
    json!([report["meetings"], report["items"], report["documents"], jobs["failed"], jobs["dead_letter"], cities])
}

/// Worker processes below this one.
fn workers_of(parent: u32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).unwrap().map(Result::unwrap);
    let all: String = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect();
    let is_worker =
        |pid: &i32| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|c| c.contains("\0worker\0"));
    all.split_whitespace().map(|pid| pid.parse().unwrap()).filter(is_worker).collect()
}

async fn count(dir: &Path, sql: &str) -> Option<i64> {
    let client = connect(dir).await?;
    client.query_one(sql, &[]).await.ok().map(|row| row.get(0))
}

fn url(dir: &Path, name: &str) -> Option<String> {
    let env = fs::read_to_string(dir.join("env")).ok()?;
    env.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

async fn connect(dir: &Path) -> Option<tokio_postgres::Client> {
    let url = url(dir, "DATABASE_URL")?;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_changes_no_number() {
    let (calm, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let calm_run = tokio::spawn(finish(demo(&calm.path().join("d"), &[])));
    let dir = rough.path().join("d");
    let disturbed = demo(&dir, &["--workers", "2"]);
    let parent = disturbed.id().unwrap();
    // In the middle: some work is done, and some is being done.
    let middle = "select case when count(*) filter (where status = 'completed') between 20 and 150 \
                  and count(*) filter (where status = 'processing') > 0 then 1 else 0 end::bigint from jobs";
    let mut rss_mib = 0;
    let wait = async {
        while count(&dir, middle).await != Some(1) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("the middle");
    let workers = workers_of(parent);
    assert_eq!(workers.len(), 2);
    for worker in &workers {
        rss_mib = rss_mib.max(resident_mib(*worker));
    }
    kill(Pid::from_raw(workers[0]), Signal::SIGKILL).unwrap();
    let (rough, code) = finish(disturbed).await;
    assert_eq!(code, Some(0));
    let (calm, code) = calm_run.await.unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(undisturbed(&rough), undisturbed(&calm));

    as_planned(&calm).await;
    assert!(rss_mib > 0 && rss_mib < 96, "a worker takes {rss_mib} MiB");
}

/// What was planned for the made-up cities, as the report tells it.
async fn as_planned(report: &Value) {
    let five = Five::start().await.unwrap();
    let expected = five.expected();
    let (meetings, items, documents) = (expected.meetings, expected.items, expected.documents);
    for (what, number) in [("meetings", meetings), ("items", items), ("documents", documents)] {
        assert_eq!(report[what], number, "{what} in {report}");
    }
    let ended = (&report["jobs"]["failed"], &report["jobs"]["dead_letter"]);
    assert_eq!(ended, (&expected.failed.into(), &expected.dead_letter.into()));
    // Of the city whose budget runs out some are paid for: which, decides who comes first.
    let is_poor = |slug: &str| slug == "cedar-mesa";
    let of = |city: &Value| city["summaries"].as_u64().unwrap();
    let rich = report["cities"].as_array().unwrap().iter().filter(|city| !is_poor(city["city"].as_str().unwrap()));
    let poor = five.all().iter().find(|city| is_poor(city.city().slug.as_str())).unwrap().expected().summaries;
    assert_eq!(rich.map(of).sum::<u64>(), (expected.summaries - poor) as u64, "{report}");
}

/// What the state directory says of a private service: its process number.
fn pid_of(dir: &Path, service: &str) -> Option<i32> {
    let state: Value = serde_json::from_slice(&fs::read(dir.join("state.json")).ok()?).ok()?;
    let process = state["processes"].as_array()?.iter().find(|process| process["name"] == service)?;
    i32::try_from(process["pid"].as_i64()?).ok()
}

/// Where the private services keep their data.
fn data_of(dir: &Path) -> std::path::PathBuf {
    let state: Value = serde_json::from_slice(&fs::read(dir.join("state.json")).unwrap()).unwrap();
    state["remove"].as_str().unwrap().into()
}

/// Lets nothing begin before the broker is there; otherwise most is done by then. Then waits until some work is done,
/// through the broker, and more is being done.
async fn middle(dir: &Path) {
    let begin = async {
        loop {
            if let Some(client) = connect(dir).await
                && pause_lane(&client, "default", "a test").await.is_ok()
            {
                return client;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let client = timeout(PATIENCE, begin).await.expect("a database");
    let broker = async {
        while count(dir, "select generation::bigint from broker_state").await.is_none_or(|n| n < 1) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, broker).await.expect("a broker");
    resume_lane(&client, "default", "a test").await.unwrap();
    let middle = "select case when count(*) filter (where status = 'completed' and queued_at < started_at) > 5 \
                  and count(*) filter (where finished_at is null) > 5 then 1 else 0 end::bigint from jobs";
    let wait = async {
        while count(dir, middle).await != Some(1) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("the middle");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removed_data_of_the_broker_change_no_number() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("d");
    let child = demo(&dir, &["--workers", "2"]);
    middle(&dir).await;
    let (broker, data) = (pid_of(&dir, "rabbitmq").unwrap(), data_of(&dir).join("rabbitmq"));
    // The node still writes there, so the directory may not get empty; what is left goes below.
    drop(fs::remove_dir_all(data.join("mnesia")));
    kill(Pid::from_raw(broker), Signal::SIGKILL).unwrap();
    // A node that was just starting again may be in the way.
    let gone = async {
        while fs::remove_dir_all(&data).is_err() && data.exists() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("its data can be removed");
    let removed = tokio::time::Instant::now();
    let generation = "select generation::bigint from broker_state";
    let wiped = async {
        // The demo may end before its broker is back: then the numbers alone tell.
        while count(&dir, generation).await.is_some_and(|n| n < 2) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, wiped).await.expect("the broker comes back, or the work ends");
    println!("the wiped broker was back, or the work done, after {:.1} s", removed.elapsed().as_secs_f64());
    let (report, code) = finish(child).await;
    assert_eq!(code, Some(0), "{report}");
    as_planned(&report).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_the_numbers_are_the_same() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("d");
    let child = demo(&dir, &["--no-broker"]);
    let wait = async {
        while count(&dir, "select count(*) from jobs where status = 'completed'").await.is_none_or(|n| n < 5) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("work is done");
    assert!(pid_of(&dir, "rabbitmq").is_none() && pid_of(&dir, "postgres").is_some());
    assert!(url(&dir, "AMQP_URL").is_none());
    let (report, code) = finish(child).await;
    assert_eq!(code, Some(0), "{report}");
    as_planned(&report).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two minutes; scripts/test --all runs it"]
async fn two_minutes_without_the_broker_change_no_number_and_work_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("d");
    let mut child = demo(&dir, &["--workers", "2", "--stay"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    middle(&dir).await;
    let broker = Pid::from_raw(pid_of(&dir, "rabbitmq").unwrap());
    // It hangs: its sockets are open, and nobody answers.
    kill(broker, Signal::SIGSTOP).unwrap();
    let done = "select count(*) from jobs where finished_at is not null";
    let before = count(&dir, done).await.unwrap();
    sleep(Duration::from_mins(2)).await;
    let after = count(&dir, done).await.unwrap();
    kill(broker, Signal::SIGCONT).unwrap();
    println!("{} jobs ended while the broker was away", after - before);
    assert!(after > before, "work went on");
    let report = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    as_planned(&serde_json::from_str(&report).unwrap()).await;
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGINT).unwrap();
    assert!(timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
}

fn resident_mib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// What the operator sees: the management API's queues, and a dead queue that follows the ledger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_shows_what_the_api_says() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("d");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let api = format!("127.0.0.1:{port}");
    let mut child = demo(&dir, &["--stay", "--http", &api]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let report: Value =
        serde_json::from_str(&timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap()).unwrap();
    assert_eq!(report["jobs"]["dead_letter"], 2);

    let management = url(&dir, "DOCKET_MANAGEMENT_URL").unwrap();
    let queues = async {
        // On a busy machine the work may be done before the broker is there.
        loop {
            let queues = get(&format!("{}/api/queues", management.trim_end_matches('/'))).await;
            if queues.as_array().is_some_and(|queues| queues.len() == 4) {
                return queues;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let queues = timeout(PATIENCE, queues).await.expect("the broker comes");
    let mut names: Vec<&str> = queues.as_array().unwrap().iter().map(|q| q["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["docket.dead", "docket.default.high", "docket.default.low", "docket.default.normal"]);
    let exchanges = get(&format!("{}/api/exchanges/%2F/docket.dead", management.trim_end_matches('/'))).await;
    assert_eq!(exchanges["type"], "direct");

    equal_within(&api, &management, 2).await;
    let client = connect(&dir).await.unwrap();
    let dead = JobId(
        client
            .query_one("select id from jobs where status = 'dead_letter' and kind = 'fetch_document'", &[])
            .await
            .unwrap()
            .get(0),
    );
    // Nothing is tried meanwhile: docket.dead must be seen without it before it is dead once more.
    pause_lane(&client, "default", "a test").await.unwrap();
    requeue(&client, &[dead], "a test").await.unwrap();
    equal_within(&api, &management, 1).await;
    resume_lane(&client, "default", "a test").await.unwrap();
    // It fails three more times, after 5 and 10 s.
    equal_within(&api, &management, 2).await;
    discard(&client, &[dead], "a test").await.unwrap();
    equal_within(&api, &management, 1).await;

    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGINT).unwrap();
    assert!(timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
    assert!(!dir.join("env").exists(), "the state is gone");
}

/// The API comes to say `dead`; 15 s after that at the latest, so does the management API.
async fn equal_within(api: &str, management: &str, dead: u64) {
    let queue = format!("{}/api/queues/%2F/docket.dead", management.trim_end_matches('/'));
    let stats = format!("http://{api}/api/queue-stats");
    let ledger = async {
        while get(&stats).await["dead_letter"].as_u64() != Some(dead) {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(Duration::from_mins(1), ledger).await.expect("the ledger gets there");
    let broker = async {
        while get(&queue).await["messages"].as_u64() != Some(dead) {
            sleep(Duration::from_millis(200)).await;
        }
    };
    // The management API's own figures are up to five seconds old.
    timeout(Duration::from_secs(15 + 5), broker).await.expect("docket.dead follows");
}

async fn get(url: &str) -> Value {
    let answer = Client::new().get(url).timeout(Duration::from_secs(10)).send().await;
    match answer {
        Ok(answer) => answer.json().await.unwrap_or_default(),
        Err(_) => Value::Null,
    }
}
