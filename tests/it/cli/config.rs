//! The layers of the configuration, and what is refused, as a user meets them.

use super::process::{docket, docket_args};
use crate::support::TestDb;
use nix::{
    sys::{
        signal::{Signal, kill},
        stat::Mode,
    },
    unistd::{Pid, geteuid, mkfifo},
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn the_document_is_what_the_code_prints() {
    let printed = docket("config reference").run().await;
    assert_eq!(printed.code, 0, "{printed:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIGURATION.md");
    let same = fs::read_to_string(path).is_ok_and(|text| text == printed.stdout);
    assert!(same, "run: cargo run -- config reference > docs/CONFIGURATION.md");
}

/// A directory with `docket.toml` in it.
fn with_file(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("docket.toml"), text).unwrap();
    dir
}

fn setting<'a>(all: &'a Value, key: &str) -> &'a Value {
    all["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn show_names_the_origin_of_each_value() {
    let dir = with_file("[fleet]\nlease = \"20s\"\ngrace = \"30s\"\n\n[worker]\nslots = 4\n");
    let show = |more: &str| {
        docket(&format!("config show --set worker.slots=5 {more}"))
            .dir(dir.path())
            .env("DOCKET_GRACE", "40s")
            .env("DATABASE_URL", "postgres://u:hunter2@h/d")
    };
    let all = show("").json().await;
    let told = |key: &str| (setting(&all, key)["value"].clone(), setting(&all, key)["origin"].clone());
    assert_eq!(told("fleet.lease"), (json!("20s"), json!("docket.toml:2")));
    assert_eq!(told("fleet.grace"), (json!("40s"), json!("DOCKET_GRACE")));
    assert_eq!(told("worker.slots"), (json!("5"), json!("--set worker.slots")));
    assert_eq!(told("fleet.heartbeat"), (json!("3s"), json!("default")));
    assert_eq!(told("database.url"), (json!("(set, hidden)"), json!("DATABASE_URL")));
    assert_eq!(told("broker.url"), (Value::Null, json!("not set")));
    let changed = show("--changed").json().await;
    assert_eq!(changed["settings"].as_array().map(Vec::len), Some(4), "{changed}");
    let table = show("").run().await;
    assert!(table.stdout.contains("docket.toml:2") && !format!("{table:?}{all}").contains("hunter2"), "{table:?}");
    assert!(docket("config show --changed --config none").run().await.stdout.contains("nothing is set"));
    show("--set fleet.leese=1s").fails(64, &["fleet.leese", "did you mean fleet.lease?"]).await;
}

#[tokio::test]
async fn the_file_is_looked_for_where_the_page_says() {
    let (here, other) = (with_file("[worker]\nslots = 2\n"), with_file("[fleet]\ngrace = \"3s\"\n"));
    let named = other.path().join("docket.toml");
    let named = named.to_str().unwrap();
    let show = |line: &str| docket(&format!("config show {line}")).dir(here.path());
    let of =
        |all: &Value| (setting(all, "worker.slots")["value"].clone(), setting(all, "fleet.grace")["value"].clone());
    assert_eq!(of(&show("").json().await), (json!("2"), json!("25s")));
    assert_eq!(of(&show("").env("DOCKET_CONFIG", named).json().await), (json!("16"), json!("3s")), "one file, not two");
    let flag = show(&format!("--config {named}")).env("DOCKET_CONFIG", "/nowhere").json().await;
    assert_eq!(of(&flag), (json!("16"), json!("3s")));
    assert_eq!(of(&show("--config none").json().await), (json!("16"), json!("25s")));
    assert_eq!(of(&show("").env("DOCKET_CONFIG", "none").json().await), (json!("16"), json!("25s")));
    show("").env("DOCKET_CONFIG", "/nowhere").fails(64, &["/nowhere"]).await;
}

#[tokio::test]
async fn a_file_is_checked_alone() {
    let dir = with_file("[fleet]\nlease = \"20s\"\n");
    let check = || docket("config check docket.toml").dir(dir.path()).env("DOCKET_LEASE", "never");
    assert!(check().run().await.stdout.contains("nothing is wrong"));
    assert_eq!(check().json().await, json!({"file": "docket.toml", "problems": []}));
    fs::write(dir.path().join("docket.toml"), "[fleet]\nleese = 1\nlease = 20\n").unwrap();
    check().fails(64, &["2 problems", "docket.toml:2: fleet.leese", "docket.toml:3: fleet.lease"]).await;
    let ended = docket("config check docket.toml --json").dir(dir.path()).run().await;
    assert_eq!((ended.code, ended.json_line()["problems"].as_array().map(Vec::len)), (64, Some(2)));
    fs::write(dir.path().join("docket.toml"), "[fleet]\nlease = \"5s\"\n").unwrap();
    check().fails(64, &["docket.toml:2: fleet.lease", "three heartbeats"]).await;
}

/// Each bad file, and words of the answer.
fn bad_files(dir: &Path) -> Vec<(PathBuf, &'static str)> {
    let at = |name: &str| dir.join(name);
    let written = |name: &str, bytes: &[u8]| {
        fs::write(at(name), bytes).unwrap();
        at(name)
    };
    mkfifo(&at("fifo"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let mut all = vec![
        (dir.to_owned(), "is a directory"),
        (at("missing"), "can't read"),
        (at("fifo"), "no regular file"),
        (PathBuf::from("/dev/zero"), "no regular file"),
        (written("large", &vec![b'#'; 10 << 20]), "more than 64 KiB"),
        (written("latin1", b"# \xe9\n"), "not UTF-8"),
        (written("deep", format!("a = {}", "[".repeat(50_000)).as_bytes()), "recursion"),
        (written("twice", b"[fleet]\nlease = \"20s\"\nlease = \"20s\"\n"), "twice:3: duplicate key"),
        (written("type", b"[fleet]\nlanes = \"a\"\n"), "is a text: a list is needed"),
        (written("negative", b"[fleet]\nlease = \"-20s\"\n"), "not a time"),
        (written("unit", b"[fleet]\nlease = 20\n"), "without a unit"),
        (written("huge", b"[fleet]\nbatch = 99999999999999999999\n"), "too large"),
        (written("overflow", b"[fleet]\nlease = \"99999999999999999h\"\n"), "not a time"),
        (written("range", b"[retention]\nfailed = \"9999999h\"\n"), "is not from 1s to 87600h"),
    ];
    if !geteuid().is_root() {
        let path = written("secret", b"");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        all.push((path, "can't read"));
    }
    all
}

#[tokio::test]
async fn bad_files_get_one_answer() {
    let dir = tempfile::tempdir().unwrap();
    for (path, words) in bad_files(dir.path()) {
        let path = path.to_str().unwrap();
        docket_args(&["config", "check", path]).fails(64, &[words]).await;
        docket_args(&["topology", "export", "--config", path]).fails(64, &[words]).await;
    }
    let empty = dir.path().join("empty");
    fs::write(&empty, "").unwrap();
    docket_args(&["config", "check", empty.to_str().unwrap()]).json().await;
}

#[tokio::test]
async fn bad_names_and_flags_are_refused_before_anything_is_done() {
    let export = |more: &[&str]| docket_args(&[&["topology", "export"], more].concat());
    export(&["--set", "oops"]).fails(64, &["KEY=VALUE"]).await;
    docket("--set fleet.lease=20s topology export --set fleet.grace=1s").fails(64, &["after the command"]).await;
    export(&["--set", "fleet.lease=20"]).fails(64, &["--set fleet.lease", "unit"]).await;
    export(&["--set", "fleet.lease="]).fails(64, &["empty"]).await;
    let ended = export(&["--set", "http.token=hunter2"]).fails(64, &["arguments", "DOCKET_HTTP_TOKEN_FILE"]).await;
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    let ended = export(&[]).env("DOCKET_HTTP_TOKN", "hunter2").fails(64, &["DOCKET_HTTP_TOKN", "did you mean"]).await;
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    export(&[]).env("DOCKET_LEASE", "5s").fails(64, &["DOCKET_LEASE", "three heartbeats"]).await;
    let linked = export(&["--set", "fleet.lanes=slow"]).env("DOCKET_SERVER_PORT", "tcp://10.0.0.1:80");
    assert!(linked.json().await.to_string().contains("docket.slow.high"));
}

#[tokio::test]
async fn a_token_file_that_everybody_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, "hunter2hunter2hunter2\n").unwrap();
    let server = || {
        docket("server --no-wait")
            .database("postgres://u@127.0.0.1:1/d")
            .env("AMQP_URL", "amqp://127.0.0.1:1")
            .env("DOCKET_HTTP_TOKEN_FILE", path.to_str().unwrap())
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = server().fails(64, &["DOCKET_HTTP_TOKEN_FILE", "chmod o-rwx", "0440"]).await;
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let ended = server().run().await;
    assert_eq!(ended.code, 69, "the token is fine, the database is away: {ended:?}");
}

#[tokio::test]
async fn workers_of_docket_dev_get_what_is_in_force() {
    let db = TestDb::migrated().await;
    let dir = with_file("[fleet]\nlanes = [\"default\", \"slow\"]\n\n[worker]\nslots = 3\n");
    let line = "dev --set worker.lanes=slow --http 127.0.0.1:0";
    let started = docket(line).dir(dir.path()).database(db.url()).env("AMQP_URL", "amqp://127.0.0.1:1").start();
    let client = db.connect().await;
    let mut seen = String::new();
    for _ in 0..600 {
        let row =
            client.query_opt("select format('%s %s', slots, lanes) from workers where slots > 0", &[]).await.unwrap();
        if let Some(row) = row {
            seen = row.get(0);
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    kill(Pid::from_raw(i32::try_from(started.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    let ended = timeout(Duration::from_mins(2), started.wait_with_output()).await.expect("ends").unwrap();
    assert_eq!(seen, "3 {slow}", "{ended:?}");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}
