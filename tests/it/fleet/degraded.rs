//! What a fleet says of itself without its broker, on real processes.

use docket::{
    dev::{
        chaos::kinds::{self, Act, EFFECT, EFFECTS_TABLE},
        fleet::{Fleet, FleetSpec, Member, MemberSpec},
    },
    fleet::enqueue::{Notify, enqueue},
};
use serde_json::Value;
use std::{path::Path, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until `/readyz` answers 200 with this status, and returns what it says of the broker.
async fn broker_of(member: &Member, status: &str) -> String {
    let told = async {
        loop {
            if let Ok((200, body)) = member.get("/readyz").await {
                let report: Value = serde_json::from_str(&body).unwrap();
                let checks = report["checks"].as_array().unwrap();
                let broker = checks.iter().find(|check| check["name"] == "broker").unwrap();
                if report["status"] == status && broker["status"] == status {
                    return broker["detail"].as_str().unwrap().to_owned();
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("never {status}; {}", member.log_end()))
}

async fn complete(client: &Client, jobs: usize, in_all: i64) {
    let jobs: Vec<_> = (0..jobs).map(|_| kinds::job(EFFECT, Act { ms: 20 }).unwrap()).collect();
    enqueue(client, &jobs, Notify::Yes).await.unwrap();
    let done = async {
        while client.query_one("select count(*) from chaos_effects", &[]).await.unwrap().get::<_, i64>(0) < in_all {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, done).await.expect("work goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_broker_a_fleet_is_degraded_and_a_site_without_one_is_well() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("degraded-{}", std::process::id()));
    let fleet = Fleet::start(FleetSpec::new(&dir, env!("CARGO_BIN_EXE_docket"))).await.unwrap();
    let client = fleet.connect().await.unwrap();
    client.batch_execute(EFFECTS_TABLE).await.unwrap();
    let command = format!("chaos-worker --witness {} --slots 8", fleet.dir().display());
    let scheduler = fleet.spawn(MemberSpec::new("scheduler", "scheduler")).await.unwrap();
    let worker = fleet.spawn(MemberSpec::new("worker", &command)).await.unwrap();
    assert_eq!(broker_of(&worker, "ok").await, "connected");
    complete(&client, 20, 20).await;

    fleet.rabbitmq().kill9().await;
    for member in [&worker, &scheduler] {
        let why = broker_of(member, "degraded").await;
        assert!(why.contains("away") && why.contains("lease"), "{why}");
        assert_eq!(member.get("/livez").await.unwrap().0, 200);
    }
    complete(&client, 40, 60).await;
    worker.kill9().await;
    scheduler.kill9().await;

    let none = |name: &str, command: &str| MemberSpec::new(name, command).env("AMQP_URL", "none");
    fleet.spawn(none("scheduler_alone", "scheduler")).await.unwrap();
    let alone = fleet.spawn(none("worker_alone", &command)).await.unwrap();
    assert!(broker_of(&alone, "ok").await.contains("has none"));
    complete(&client, 40, 100).await;
    let once = "select count(*) = count(distinct job_id) from chaos_effects";
    assert!(client.query_one(once, &[]).await.unwrap().get::<_, bool>(0), "once each");
    fleet.stop().await;
    std::fs::remove_dir_all(&dir).unwrap();
}
