//! The domain's handlers, with the rights that infra/postgres/roles.sql grants a worker.

use super::support::{count, demo, drain, ledger, services, total};
use crate::support::{TestDb, login};
use docket::{
    civic::{enqueue_sync, store::cities},
    db,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_goes_through_with_the_rights_of_a_worker_and_an_operator() {
    let db = TestDb::migrated().await;
    let (worker, operator) = (login(&db, "docket_worker").await, login(&db, "docket_operator").await);
    let demo = demo().await;
    let services = services(&worker, &demo);
    let client = db::connect(&operator).await.unwrap();
    cities::add(&client, &demo.city()).await.unwrap();
    enqueue_sync(&client, &demo.city().slug, &services.settings).await.unwrap();
    let ends = drain(&ledger(&worker), &services).await;
    let expected = demo.expected();
    assert_eq!(total(&ends, "dead_letter"), expected.dead_letter, "{ends:?}");
    assert_eq!(total(&ends, "failed"), expected.failed, "{ends:?}");
    assert_eq!(count(&client, "summaries").await, i64::try_from(expected.summaries).unwrap());
    assert_eq!(count(&client, "matters").await, i64::try_from(expected.matters).unwrap());
}
