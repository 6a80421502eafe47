//! The units, as far as they can be tried without a running systemd, and what a role tells it.

use crate::support::{TestDb, TestVhost};
use docket::fleet::{
    broker::{Topology, definitions},
    settings::Protocol,
};
use nix::{sys::signal::Signal, unistd::Pid};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::UnixDatagram,
    process::{Child, Command},
    time::{Instant, timeout, timeout_at},
};

/// Nothing here takes so long, however busy the machine is.
const LONG: Duration = Duration::from_mins(3);

// ------------------------------------------------------------------------------------------------ what is told

/// A role of its own, and the socket that it takes for systemd's.
struct Managed {
    child: Child,
    socket: UnixDatagram,
    /// Told, and not asked for yet.
    lines: VecDeque<String>,
    _dir: TempDir,
}

impl Managed {
    fn start(args: &[&str], database: &str, amqp: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
        let vars =
            [("DATABASE_URL", database), ("AMQP_URL", amqp), ("DOCKET_PROFILE", "short"), ("DOCKET_LOG", "error")];
        command.args(args).args(["--http", "127.0.0.1:0"]).envs(vars);
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000").env_remove("WATCHDOG_PID");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        Self { child: command.spawn().unwrap(), socket, lines: VecDeque::new(), _dir: dir }
    }

    /// The next line.
    async fn next(&mut self) -> String {
        while self.lines.is_empty() {
            let mut buffer = vec![0; 4096];
            let length = self.socket.recv(&mut buffer).await.unwrap();
            self.lines.extend(String::from_utf8_lossy(&buffer[..length]).lines().map(str::to_owned));
        }
        self.lines.pop_front().unwrap()
    }

    /// Reads until a line begins like this; returns what was told before it, and the line.
    async fn until(&mut self, start: &str) -> (Vec<String>, String) {
        let mut before = Vec::new();
        let end = Instant::now() + LONG;
        loop {
            let Ok(line) = timeout_at(end, self.next()).await else {
                panic!("never told: {start}, but {:?}", &before[before.len().saturating_sub(5)..]);
            };
            if line.starts_with(start) {
                return (before, line);
            }
            before.push(line);
        }
    }

    fn terminate(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap());
        nix::sys::signal::kill(pid, Signal::SIGTERM).unwrap();
    }
}

async fn vhost() -> TestVhost {
    TestVhost::new(&definitions(&Topology::new(["default"]).unwrap(), "/", &[])).await
}

#[tokio::test]
async fn a_role_tells_that_it_is_ready_alive_and_stopping() {
    let (db, vhost) = (TestDb::migrated().await, vhost().await);
    for role in ["worker", "scheduler", "server"] {
        let mut managed = Managed::start(&[role], db.url(), vhost.url());
        let (before, _) = managed.until("READY=1").await;
        assert!(before.iter().all(|line| line.starts_with("STATUS=")), "{role}: alive before it works: {before:?}");
        managed.until("STATUS=ready").await;
        managed.until("WATCHDOG=1").await;
        managed.until("WATCHDOG=1").await;
        managed.terminate();
        managed.until("STOPPING=1").await;
        managed.until("STATUS=stopping").await;
        assert!(timeout(LONG, managed.child.wait()).await.expect("ends").unwrap().success(), "{role}");
    }
}

#[tokio::test]
async fn a_start_that_waits_for_the_database_says_so_and_is_not_ready() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://u:hunter2@{free}/d");
    let mut managed = Managed::start(&["worker"], &url, "amqp://127.0.0.1:1");
    let (before, status) = managed.until("STATUS=").await;
    assert!(
        before.is_empty() && status.contains("waiting: the database") && status.contains(&free.to_string()),
        "{status}"
    );
    assert!(!status.contains("hunter2"), "{status}");
}

/// The loop stands still, because its table is locked, while the database answers: only a restart could help, so the
/// watchdog must not be fed.
#[tokio::test]
async fn a_loop_that_stands_still_is_not_alive() {
    let (db, vhost) = (TestDb::migrated().await, vhost().await);
    let mut managed = Managed::start(&["worker"], db.url(), vhost.url());
    managed.until("WATCHDOG=1").await;
    let mut client = db.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("lock table workers in access exclusive mode").await.unwrap();
    let (_, status) = managed.until("STATUS=not alive").await;
    assert!(status.contains("worker: last progress"), "{status}");
    // Each look changes the status, and none feeds the watchdog.
    for _ in 0..5 {
        let (before, _) = managed.until("STATUS=not alive").await;
        assert!(before.is_empty(), "told while it stands still: {before:?}");
    }
    // It goes on, and is alive again.
    lock.rollback().await.unwrap();
    managed.until("WATCHDOG=1").await;
}

// ------------------------------------------------------------------------------------------------ units

const UNITS: [&str; 4] =
    ["docket-scheduler.service", "docket-worker@9101.service", "docket-server.service", "docket.target"];

fn unit_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/systemd")
}

fn unit(name: &str) -> String {
    std::fs::read_to_string(unit_folder().join(name)).unwrap()
}

/// A copy with the binary of this test in it: the one that the units name isn't installed.
fn copied() -> TempDir {
    let (dir, common) = (tempfile::tempdir().unwrap(), "docket-.service.d/10-common.conf");
    std::fs::create_dir(dir.path().join("docket-.service.d")).unwrap();
    for name in ["docket-scheduler.service", "docket-worker@.service", "docket-server.service", "docket.target", common]
    {
        let text = unit(name).replace("/usr/local/bin/docket", env!("CARGO_BIN_EXE_docket"));
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// `systemd-analyze`, or nothing where there is none.
async fn analyze(dir: &Path, args: &[&str]) -> Option<Output> {
    let child = Command::new("systemd-analyze")
        .args(args)
        .current_dir(dir)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", dir.display()))
        .env("SYSTEMD_COLORS", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match timeout(LONG, child).await.expect("ends") {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no systemd-analyze here");
            None
        }
        output => Some(output.unwrap()),
    }
}

#[tokio::test]
async fn systemd_has_nothing_to_say_about_the_units() {
    let dir = copied();
    let units = UNITS.map(|unit| format!("./{unit}"));
    let verify: Vec<&str> = ["verify", "--man=no"].into_iter().chain(units.iter().map(String::as_str)).collect();
    let Some(output) = analyze(dir.path(), &verify).await else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // Other units of the machine may have their own faults.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("docket")).collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");

    // It does look: at the units, and at what they have in common.
    for name in ["docket-worker@.service", "docket-.service.d/10-common.conf"] {
        let (path, broken) = (dir.path().join(name), "\n[Service]\nWatchdogSec=often\n");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{broken}")).unwrap();
        let output = analyze(dir.path(), &verify).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("often"), "{name}: {said}");
        std::fs::write(&path, text).unwrap();
    }
}

#[tokio::test]
async fn the_units_are_hardened() {
    let dir = copied();
    for name in &UNITS[..3] {
        let path = format!("./{name}");
        let args = ["security", "--offline=true", "--threshold=20", &path];
        let Some(output) = analyze(dir.path(), &args).await else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Seconds of a setting such as `TimeoutStopSec=75s`.
fn seconds(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).expect(key);
    line.strip_suffix('s').expect("seconds").parse().expect("a number")
}

#[test]
fn a_worker_is_given_its_grace_and_a_watchdog_time_to_see_a_stall() {
    let grace = Protocol::default().grace.as_secs();
    assert!(seconds(&unit("docket-worker@.service"), "TimeoutStopSec") >= grace + 40);
    let common = unit("docket-.service.d/10-common.conf");
    // Progress may stand still for 30 s before /livez fails.
    assert!(seconds(&common, "WatchdogSec") >= 2 * 30);
    for line in ["Type=notify", "KillMode=mixed", "Restart=always", "NoNewPrivileges=yes", "ProtectSystem=strict"] {
        assert!(common.lines().any(|there| there == line), "{line}");
    }
    for name in ["docket-scheduler.service", "docket-worker@.service", "docket-server.service"] {
        assert!(unit(name).contains("MemoryMax="), "{name}");
    }
}

/// A process makes the file readable itself; its directory must be, too, whatever `UMask` says.
#[test]
fn prometheus_can_read_where_each_service_listens() {
    let common = unit("docket-.service.d/10-common.conf");
    for line in ["RuntimeDirectory=%N", "RuntimeDirectoryMode=0755", "Environment=DOCKET_TARGETS_DIR=%t/%N"] {
        assert!(common.lines().any(|there| there == line), "{line}");
    }
}

/// Other users of the machine may read units and their environment.
#[test]
fn secrets_are_credentials() {
    let common = unit("docket-.service.d/10-common.conf");
    for secret in ["database-url", "amqp-url"] {
        assert!(common.contains(&format!("LoadCredential={secret}:/etc/docket/{secret}\n")), "{secret}");
        assert!(common.contains(&format!("_FILE=%d/{secret}\n")), "{secret}");
    }
    let environment = unit("docket.env");
    assert!(!environment.contains("URL") && !environment.contains("TOKEN") && !environment.contains("KEY"));
}
