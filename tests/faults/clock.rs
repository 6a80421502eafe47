//! The wall clock jumps: the database's, and that of a process. Leases and sweeps must not care.
//!
//! The clocks are faked by libfaketime (Debian: `apt-get install libfaketime`), which leaves the monotonic clock alone.
//! Without it these tests say so and prove nothing.

use crate::support::{LONG, Load, Trial, jobs, print, trial};
use serde_json::{Map, json};
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command, time::Duration};
use tokio::time::{Instant, sleep};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A file that says by how much the clock is wrong.
struct Clock {
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Clock {
    /// None: the machine has no libfaketime.
    fn new() -> Option<Self> {
        fs::exists(LIBRARY).ok().filter(|there| *there)?;
        let dir = tempfile::Builder::new().prefix("docket-faults-clock-").tempdir_in("/var/tmp").expect("a directory");
        // The database runs as another user.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let clock = Self { file: dir.path().join("offset"), _dir: dir };
        clock.set("+0");
        Some(clock)
    }

    fn set(&self, offset: &str) {
        fs::write(&self.file, format!("{offset}\n")).expect("ours");
    }

    fn env(&self) -> [(&str, &str); 4] {
        [
            ("LD_PRELOAD", LIBRARY),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().expect("plain text")),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]
    }
}

/// Seconds since 1970, by the true clock.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Without the library the line says that nothing was proven.
fn with_clock(id: &'static str, what: &'static str, test: impl AsyncFnOnce(&mut Trial, &Clock)) {
    match Clock::new() {
        Some(clock) => trial(id, what, async |t| test(t, &clock).await),
        None => print(id, what, &Map::from_iter([("not_injected".to_owned(), json!("no libfaketime"))])),
    }
}

/// Long jobs that run over the jumps, retries that wait over them, and new work.
async fn over_jumps(t: &mut Trial, clock: &Clock, has_jumped: impl AsyncFn(&Trial, &str)) {
    t.enqueue(&[Load::slow_effect(4, 12_000), Load::fail_once(10), Load::effect(50)]).await;
    t.until_status("processing", 1).await;
    let before = t.count("select coalesce(sum(losses), 0)::bigint from jobs where id > $1").await;
    let mut slowest: f64 = 0.0;
    for offset in ["+3600", "-3600", "+0"] {
        clock.set(offset);
        let jumped = Instant::now();
        has_jumped(t, offset).await;
        t.enqueue(&[Load::effect(20), Load::fail_once(2)]).await;
        slowest = slowest.max(t.works_again(jumped).await);
        sleep(Duration::from_secs(4)).await;
    }
    t.measure("works_seconds_slowest", slowest);
    let reaped = t.count("select coalesce(sum(losses), 0)::bigint from jobs where id > $1").await - before;
    t.measure("reaped", reaped);
    assert_eq!(reaped, 0, "a lease is measured on the monotonic clock");
}

#[test]
fn the_databases_clock() {
    with_clock("F53", "database's clock jumps +1 h, -2 h, +1 h", async |t, clock| {
        t.fleet().postgres().stop().await;
        t.fleet().postgres().start_with(&clock.env()).await.expect("it starts");
        t.scheduler().await;
        t.worker(8).await;
        let has_jumped = async |t: &Trial, offset: &str| {
            let wrong = t.count("select round(extract(epoch from clock_timestamp()))::bigint").await - now();
            let asked: i64 = offset.parse().expect("a number");
            assert!((wrong - asked).abs() < 60, "the clock is wrong by {wrong} s, and should be by {asked} s");
        };
        over_jumps(t, clock, has_jumped).await;
        t.settled().await;
        t.fleet().postgres().stop().await;
        t.fleet().postgres().start().await.expect("it starts");
        t.works_again(Instant::now()).await;
    });
}

#[test]
fn a_processs_clock() {
    with_clock("F54", "clocks of scheduler and worker jump +1 h, -2 h, +1 h", async |t, clock| {
        let scheduler = t.member("scheduler", &clock.env()).await;
        let worker = t.member(&jobs::worker(8), &clock.env()).await;
        for member in [&scheduler, &worker] {
            let maps = fs::read_to_string(format!("/proc/{}/maps", member.pid().expect("it runs"))).expect("ours");
            assert!(maps.contains("libfaketime"), "{} has the true clock", member.name());
        }
        let has_jumped = async |_: &Trial, offset: &str| {
            let told = Command::new("date").arg("+%s").envs(clock.env()).output().expect("date runs").stdout;
            let told: i64 = String::from_utf8_lossy(&told).trim().parse().expect("seconds");
            let asked: i64 = offset.parse().expect("a number");
            assert!((told - now() - asked).abs() < 60, "{told}");
        };
        over_jumps(t, clock, has_jumped).await;
        t.settled().await;
        assert!(worker.ready(LONG).await.is_ok());
    });
}
