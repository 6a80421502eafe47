//! Arguments that the database takes and no worker can read: each ends its own job, and no other.

use crate::{
    api::support::Server,
    fleet::toys::{Script, TestFleet, plain},
};

/// Deeper than any reader goes; a number that no float holds.
const UNREADABLE: [&str; 3] = [
    "(repeat('[', 200) || repeat(']', 200))::jsonb",
    "'{\"n\": 1e400}'::jsonb",
    "jsonb_build_object('a', (repeat('{\"a\":', 300) || '1' || repeat('}', 300))::jsonb)",
];

async fn end_alone(mut fleet: TestFleet) {
    for args in UNREADABLE {
        fleet.client.execute(&format!("select docket_enqueue('plain', {args})"), &[]).await.unwrap();
    }
    let good = fleet.enqueue(&(0..20).map(|_| plain(Script::default())).collect::<Vec<_>>()).await;
    fleet.scheduler();
    fleet.worker(8).await;
    fleet.settled().await;
    let count = async |sql: &str| fleet.count(&format!("select count(*) from jobs where {sql}")).await;
    assert_eq!(count("status = 'completed'").await, i64::try_from(good.len()).unwrap());
    assert_eq!(count("status = 'failed' and failures = 1 and error_class = 'invalid_args'").await, 3);
    assert_eq!(count("last_error like 'the arguments can''t be read: %' and losses = 0").await, 3);
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_cant_be_read_end_their_job_alone() {
    end_alone(TestFleet::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_by_direct_lease() {
    end_alone(TestFleet::without_broker().await).await;
}

#[tokio::test]
async fn the_api_shows_them_as_text() {
    let fleet = TestFleet::without_broker().await;
    let api = Server::on(&fleet.db.config()).start().await;
    for args in UNREADABLE {
        let sql = format!("select id, ({args})::text from docket_enqueue('plain', {args})");
        let row = fleet.client.query_one(&sql, &[]).await.unwrap();
        let (id, text): (i64, String) = (row.get(0), row.get(1));
        let (status, shown) = api.get(&format!("/api/jobs/{id}")).await;
        assert_eq!((status.as_u16(), shown["args"].as_str()), (200, Some(text.as_str())), "{shown}");
    }
    let (status, list) = api.get("/api/jobs?kind=plain").await;
    assert_eq!((status.as_u16(), list["items"].as_array().map(Vec::len)), (200, Some(3)));
}
