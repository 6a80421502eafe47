//! Pausing a lane.

use super::support::{Server, is_error};
use crate::support::TestLedger;
use docket::fleet::{
    job::{Band, NewJob},
    ledger::{LedgerConnections, PgLedger, operate},
    ports::{Ledger, PickRequest, WorkerSpec},
    settings::Protocol,
};
use serde_json::{Value, json};

async fn job(db: &TestLedger, lane: &str) -> i64 {
    db.enqueue(NewJob::new("plain", &json!({})).unwrap().lane(lane)).await.0
}

/// How many jobs of the lane a scheduler and a worker get, by each of the three ways.
async fn taken(ledger: &PgLedger, lane: &str) -> [usize; 3] {
    let kinds = [("plain".to_owned(), 1)];
    let request = PickRequest { lane, rows: 1, aged: 1, kinds: &kinds, bands: &Band::ALL, generation: 1 };
    let picked = ledger.pick(request).await.unwrap().len();
    let spec = WorkerSpec { name: "test".to_owned(), slots: 1, lanes: vec![lane.to_owned()], kinds: vec![] };
    let (worker, names) = (ledger.register(&spec).await.unwrap(), ["plain".to_owned()]);
    let leased = ledger.lease(worker, lane, &names, 1).await.unwrap().len();
    let suspects = usize::from(ledger.lease_suspect(worker, lane, &names).await.unwrap().is_some());
    [picked, leased, suspects]
}

#[tokio::test]
async fn after_the_commit_of_a_pause_nothing_of_the_lane_is_taken() {
    let db = TestLedger::new().await;
    let ledger = PgLedger::new(&db.config, Protocol::default(), LedgerConnections::default());
    for lane in ["fast", "slow"] {
        for _ in 0..3 {
            job(&db, lane).await;
        }
        let suspect = job(&db, lane).await;
        db.sql(&format!("update jobs set losses = 2 where id = {suspect}")).await;
    }
    assert!(operate::pause_lane(&db.client, "slow", "ada").await.unwrap());
    assert!(!operate::pause_lane(&db.client, "slow", "bob").await.unwrap(), "it is paused already");
    assert_eq!(taken(&ledger, "slow").await, [0, 0, 0]);
    assert_eq!(taken(&ledger, "fast").await, [1, 1, 1]);
    let paused = operate::paused_lanes(&db.client).await.unwrap();
    assert_eq!(
        paused.iter().map(|p| (p.lane.as_str(), p.actor.as_deref())).collect::<Vec<_>>(),
        [("slow", Some("ada"))]
    );
    assert_eq!(db.number("select count(*) from jobs where lane = 'slow' and epoch = 0").await, 4, "untouched");
    assert!(operate::resume_lane(&db.client, "slow", "ada").await.unwrap());
    assert!(!operate::resume_lane(&db.client, "slow", "ada").await.unwrap());
    assert_eq!(taken(&ledger, "slow").await, [1, 1, 1]);
}

#[tokio::test]
async fn a_pause_that_is_rolled_back_is_none() {
    let mut db = TestLedger::new().await;
    job(&db, "slow").await;
    let transaction = db.client.transaction().await.unwrap();
    assert!(operate::pause_lane(&transaction, "slow", "ada").await.unwrap());
    transaction.rollback().await.unwrap();
    let ledger = PgLedger::new(&db.config, Protocol::default(), LedgerConnections::default());
    assert_eq!(taken(&ledger, "slow").await[0], 1);
}

#[tokio::test]
async fn the_api_pauses_lists_and_resumes() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    job(&db, "slow").await;
    let told = |changed: bool, paused: bool| json!({"lane": "slow", "paused": paused, "changed": changed});
    assert_eq!(api.act("/api/lanes/slow/pause").await.1, told(true, true));
    assert_eq!(api.act("/api/lanes/slow/pause").await.1, told(false, true));
    let (_, lanes) = api.get("/api/lanes").await;
    let row = |name: &str| -> Value {
        lanes["items"].as_array().unwrap().iter().find(|row| row["lane"] == name).unwrap().clone()
    };
    let slow = row("slow");
    assert_eq!(
        (&slow["paused"], &slow["paused_by"], &slow["runnable"]),
        (&json!(true), &json!("api:local"), &json!(1))
    );
    assert!(slow["paused_at"].is_string());
    assert_eq!((&row("default")["paused"], &row("default")["runnable"]), (&json!(false), &json!(0)));
    assert_eq!(api.act("/api/lanes/slow/resume").await.1, told(true, false));
    assert_eq!(api.act("/api/lanes/slow/resume").await.1, told(false, false));
    let long = "x".repeat(513);
    for name in ["%00", "a%0ab", &long, "%ff"] {
        is_error(&api.act(&format!("/api/lanes/{name}/pause")).await, 400, "bad_request");
    }
    assert_eq!(api.act("/api/lanes/M%C3%BCll%20%2F/pause").await.1["lane"], "Müll /");
}
