//! A private fleet of real processes.

use crate::broker::support::until;
use docket::dev::{
    fleet::{Fleet, FleetSpec, MemberSpec, terminate_backends},
    proxy::Mode,
};
use std::{path::Path, time::Duration};

/// Nothing here takes so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test]
async fn members_are_hurt_and_come_back_and_so_do_services() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fleet-{}", std::process::id()));
    let fleet = Fleet::start(FleetSpec::new(&dir, env!("CARGO_BIN_EXE_docket"))).await.unwrap();
    let scheduler = fleet.spawn(MemberSpec::new("scheduler", "scheduler")).await.unwrap();
    let worker = fleet.spawn(MemberSpec::new("worker", "worker --slots 2")).await.unwrap();
    assert!(fleet.spawn(MemberSpec::new("worker", "worker")).await.is_err(), "the name is taken");
    scheduler.ready(PATIENCE).await.unwrap();
    worker.ready(PATIENCE).await.unwrap();
    // The endpoint answers before the worker has signed on.
    until("it has signed on", || async { worker.metrics().await.unwrap().contains("docket_worker_slots 2") }).await;
    assert!(worker.database().connections() > 0 && worker.broker().connections() > 0, "it goes through its proxies");

    // A suspended process answers nothing, a moment after the signal.
    worker.suspend();
    until("it is silent", || async { worker.get("/livez").await.is_err() }).await;
    worker.resume();
    worker.get("/livez").await.unwrap();

    worker.kill9().await;
    assert_eq!(worker.pid(), None);
    worker.start().unwrap();
    worker.ready(PATIENCE).await.unwrap();
    scheduler.terminate();
    assert!(scheduler.ended(PATIENCE).await.unwrap().success(), "{}", scheduler.log_end());

    let client = fleet.connect().await.unwrap();
    assert!(terminate_backends(&client).await.unwrap() > 0);
    fleet.postgres().restart_fast().await.unwrap();
    fleet.connect().await.unwrap();
    // Cut off, it is not ready; afterwards it is.
    worker.database().set_both(Mode::Stall);
    let unready = async {
        while matches!(worker.get("/readyz").await, Ok((200, _)) | Err(_)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, unready).await.unwrap();
    worker.database().heal();
    worker.ready(PATIENCE).await.unwrap();

    let pid = worker.pid().unwrap();
    fleet.stop().await;
    assert!(!Path::new("/proc").join(pid.to_string()).exists());
    std::fs::remove_dir_all(&dir).unwrap();
}
