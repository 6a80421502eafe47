//! docs/RUNBOOK.md, followed by somebody who knows nothing else: three drills come back to green by what it says to type.

use crate::cli::process::docket_args;
use docket::dev::drill::Drill;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

const RUNBOOK: &str = include_str!("../../../docs/RUNBOOK.md");
/// Servers start, jobs back off, rates are over a minute.
const PATIENCE: Duration = Duration::from_mins(8);

fn section(alert: &str) -> &'static str {
    let (_, rest) = RUNBOOK.split_once(&format!("\n## {alert}\n")).unwrap_or_else(|| panic!("no section {alert}"));
    rest.split("\n## ").next().unwrap()
}

/// The commands under *Look*. A drill's processes are no services, so only Docket's own apply.
fn looks(alert: &str) -> Vec<&'static str> {
    let block = section(alert).split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    block.lines().filter(|line| line.starts_with("docket ")).collect()
}

/// The command under *Do* that begins like this.
fn does(alert: &str, start: &str) -> &'static str {
    let (_, steps) = section(alert).split_once("**Do.**").unwrap();
    let typed = steps.split('`').skip(1).step_by(2);
    typed.into_iter().find(|text| text.starts_with(start)).unwrap_or_else(|| panic!("{alert} does not say {start}"))
}

/// A drill by hand, and the shell of whoever is on call.
struct OnCall {
    drill: Child,
    told: Lines<BufReader<ChildStderr>>,
    alerts: BTreeSet<String>,
    /// What the drill said to type first.
    environment: String,
    _dir: TempDir,
}

impl OnCall {
    /// Until it is theirs.
    async fn woken(drill: Drill) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("d").display().to_string();
        let mut child = docket_args(&["drill", drill.as_str(), "--by-hand", "--dir", &place]).start();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut alerts, mut before) = (BTreeSet::new(), Vec::new());
        loop {
            let line = timeout(PATIENCE, told.next_line()).await.expect("it goes on").unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended: {before:?}"));
            if let Some((_, environment)) = line.split_once("docs/RUNBOOK.md: ") {
                let environment = environment.to_owned();
                return Self { drill: child, told, alerts, environment, _dir: dir };
            }
            let arrived = line.strip_suffix(" has arrived at the webhook").and_then(|line| line.rsplit(' ').next());
            alerts.extend(arrived.map(str::to_owned));
            before.push(line);
        }
    }

    fn shell(&self, command: &str) -> Command {
        let binaries = Path::new(env!("CARGO_BIN_EXE_docket")).parent().unwrap();
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{}; exec {command}", self.environment)]).env("PATH", path);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        shell
    }

    async fn types(&self, command: &str) -> String {
        let output = timeout(PATIENCE, self.shell(command).output()).await.expect("ends").unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn dead(&self) -> Vec<Value> {
        let page: Value = serde_json::from_str(&self.types("docket dead list --limit 200 --json").await).unwrap();
        page["items"].as_array().unwrap().clone()
    }

    /// Everything that the sections of the alerts that woke them say to look at.
    async fn looks(&self, drill: Drill) {
        assert_eq!(self.alerts, drill.alerts().iter().map(|name| (*name).to_owned()).collect());
        let dead = self.dead().await;
        for command in self.alerts.iter().flat_map(|alert| looks(alert)) {
            let id = dead.first().map(|job| job["id"].to_string());
            if command.contains("ID") && id.is_none() {
                continue;
            }
            assert!(!self.types(&command.replace("ID", &id.unwrap_or_default())).await.is_empty(), "{command}");
        }
    }

    /// The drill has seen that all is well.
    async fn comes_back_to_green(mut self) {
        let mut told = Vec::new();
        let end = async {
            while let Some(line) = self.told.next_line().await.unwrap() {
                told.push(line);
            }
        };
        assert!(timeout(PATIENCE, end).await.is_ok(), "not green: {told:?}");
        assert_eq!(self.drill.wait().await.unwrap().code(), Some(0), "{told:?}");
        assert!(told.iter().any(|line| line.contains("green: ")), "{told:?}");
    }
}

async fn poison() {
    let person = OnCall::woken(Drill::Poison).await;
    person.looks(Drill::Poison).await;
    let ids: Vec<String> = person.dead().await.iter().map(|job| job["id"].to_string()).collect();
    assert_eq!(ids.len(), 13);
    let discard = does("DocketDeadLettersHigh", "docket dead discard");
    person.types(&discard.replace("ID…", &ids.join(" "))).await;
    person.comes_back_to_green().await;
}

async fn vendor_down() {
    let person = OnCall::woken(Drill::VendorDown).await;
    person.looks(Drill::VendorDown).await;
    let list: Value = serde_json::from_str(&person.types("docket breakers list --json").await).unwrap();
    let breakers = list["items"].as_array().unwrap();
    assert!(breakers.iter().any(|breaker| breaker["held_jobs"].as_i64() > Some(0)), "{list}");
    for breaker in breakers {
        let close = does("DocketBreakerOpen", "docket breakers close");
        person.types(&close.replace("KEY", breaker["key"].as_str().unwrap())).await;
    }
    person.comes_back_to_green().await;
}

async fn worker_kill() {
    let person = OnCall::woken(Drill::WorkerKill).await;
    person.looks(Drill::WorkerKill).await;
    let mut worker = person.shell(does("DocketWorkersLost", "docket worker ")).spawn().unwrap();
    person.comes_back_to_green().await;
    // Its servers are gone; it would wait for them.
    worker.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: scripts/test --all"]
async fn what_the_runbook_says_brings_three_drills_back_to_green() {
    tokio::join!(poison(), vendor_down(), worker_kill());
}
