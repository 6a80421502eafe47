//! However the starting process ends, nothing stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use docket::dev::{Down, Services, ServicesSpec, down};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::lifecycle::spec;

/// Tells [`hold_services`] where.
const HOLD_IN: &str = "DOCKET_TEST_HOLD_SERVICES_IN";

/// Longest wait for something that must happen; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// The processes that have `data` in their command line or environment, zombies apart, and the children they left.
pub(super) fn processes_of(data: &Path) -> Vec<i32> {
    let name = data.to_str().unwrap();
    assert!(!name.is_empty());
    let names = |file: PathBuf| fs::read(file).is_ok_and(|text| String::from_utf8_lossy(&text).contains(name));
    all_processes()
        .filter(|pid| names(format!("/proc/{pid}/cmdline").into()) || names(format!("/proc/{pid}/environ").into()))
        .collect()
}

pub(super) async fn wait_until_none(data: &Path) {
    let wait = until(|| processes_of(data).is_empty());
    if wait.await.is_err() {
        let lines = processes_of(data).into_iter().map(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")));
        panic!("processes stay: {:?}", lines.collect::<Vec<_>>());
    }
}

async fn until(condition: impl Fn() -> bool) -> Result<(), tokio::time::error::Elapsed> {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await
}

/// Not a test of its own: the body of the processes that the tests below kill.
#[tokio::test]
#[ignore = "the body of the processes that other tests kill"]
async fn hold_services() {
    let dir = PathBuf::from(std::env::var_os(HOLD_IN).unwrap());
    let all = ServicesSpec { rabbitmq: Some(json!({})), ..spec(&dir) };
    let services = Services::start(all).await.unwrap();
    services.wait_broker().await.unwrap();
    // Whoever sees the file must see all of it.
    fs::write(dir.join("ready.next"), services.data_dir().to_str().unwrap()).unwrap();
    fs::rename(dir.join("ready.next"), dir.join("ready")).unwrap();
    sleep(PATIENCE * 2).await;
}

/// A process of its own that holds services, the directory of their data, and the keeper's process number.
async fn holder(dir: &Path) -> (Child, PathBuf, i32) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["dev::remains::hold_services", "--exact", "--ignored"]).env(HOLD_IN, dir);
    let output = fs::File::create(dir.join("output")).unwrap();
    let child = command.stdout(output).stderr(Stdio::null()).spawn().unwrap();
    let ready = dir.join("ready");
    let holder = child_id(&child);
    until(|| ready.exists() || !is_running(holder)).await.expect("the services start");
    assert!(ready.exists(), "{}", fs::read_to_string(dir.join("output")).unwrap());
    let data = PathBuf::from(fs::read_to_string(ready).unwrap());
    let keeper = keeper_of(child_id(&child));
    (child, data, keeper)
}

/// A zombie does not count.
fn is_running(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn child_id(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap()
}

/// The keeper is the shell among the holder's children.
fn keeper_of(holder: i32) -> i32 {
    let is_keeper = |pid: &i32| {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        read("cmdline").contains("docket-keeper") && read("status").contains(&format!("PPid:\t{holder}\n"))
    };
    all_processes().find(is_keeper).expect("the holder has no keeper")
}

fn all_processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn kill9(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, data, _keeper) = holder(dir.path()).await;
    assert!(processes_of(&data).len() >= 2, "postgres and the node");
    kill9(child_id(&child));
    child.wait().unwrap();
    wait_until_none(&data).await;
    until(|| !data.exists()).await.expect("the keeper removes the data");
}

#[tokio::test]
async fn the_next_start_mends_what_even_the_keeper_left() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, data, keeper) = holder(dir.path()).await;
    let state: Value = serde_json::from_slice(&fs::read(dir.path().join("state.json")).unwrap()).unwrap();
    assert_eq!(state["processes"].as_array().unwrap().len(), 3, "{state}");
    kill9(keeper);
    kill9(child_id(&child));
    child.wait().unwrap();
    assert!(!processes_of(&data).is_empty());

    assert_eq!(down(dir.path()).await.unwrap(), Down::Mended);

    wait_until_none(&data).await;
    assert!(!data.exists());
    assert_eq!(down(dir.path()).await.unwrap(), Down::Nothing);
}
