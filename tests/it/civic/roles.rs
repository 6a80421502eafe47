//! The domain's handlers, with the rights that infra/postgres/roles.sql grants a worker.

use super::support::{count, demo, drain, ledger, services, total};
use crate::support::{TestDb, login};
use docket::{
    civic::{
        book_lost_calls, enqueue_sync,
        store::{MatterRowId, cities, matters},
    },
    db,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_goes_through_with_the_rights_of_a_worker_and_an_operator() {
    let db = TestDb::migrated().await;
    let (worker, operator) = (login(&db, "docket_worker").await, login(&db, "docket_operator").await);
    let demo = demo().await;
    let services = services(&worker, &demo);
    let mut client = db::connect(&operator).await.unwrap();
    cities::add(&client, &demo.city()).await.unwrap();
    enqueue_sync(&client, &demo.city().slug, &services.settings).await.unwrap();
    let ends = drain(&ledger(&worker), &services).await;
    let expected = demo.expected();
    assert_eq!(total(&ends, "dead_letter"), expected.dead_letter, "{ends:?}");
    assert_eq!(total(&ends, "failed"), expected.failed, "{ends:?}");
    assert_eq!(count(&client, "summaries").await, i64::try_from(expected.summaries).unwrap());
    assert_eq!(count(&client, "matters").await, i64::try_from(expected.matters).unwrap());

    // What operators do to matters: with their own rights, and a worker tracks what follows with his.
    let ids = client.query("select id from matters order by id limit 2", &[]).await.unwrap();
    let [one, two] = [0, 1].map(|n: usize| MatterRowId(ids[n].get(0)));
    let merged = matters::merge(&mut client, one, &[two], "test").await.unwrap();
    let sql = "select item_id from matter_appearances where matter_id = $1 order by item_id limit 1";
    let item = docket::civic::store::ItemId(client.query_one(sql, &[&one.0]).await.unwrap().get(0));
    let split = matters::split(&mut client, one, &[item], "test").await.unwrap();
    let track = db::connect(&worker).await.unwrap();
    assert_eq!(matters::retrack(&track, item).await.unwrap(), split.matter);
    matters::undo(&mut client, split.act, "test").await.unwrap();
    matters::undo(&mut client, merged.act, "test").await.unwrap();
    assert_eq!(count(&client, "matters").await, i64::try_from(expected.matters).unwrap());
}

#[tokio::test]
async fn a_scheduler_may_book_the_calls_of_dead_workers() {
    let db = TestDb::migrated().await;
    let owner = db.connect().await;
    let reserve = "insert into llm_reservations (input_hash, prompt_version, model, holder, city, micro_usd, expires_at, asked_at,
                     provider, prompt_type)
                   values (repeat('0', 64), '2', 'm', gen_random_uuid(), 'a', 7, now(), now(), 'openai', 'item')";
    owner.execute(reserve, &[]).await.unwrap();
    let mut scheduler = db::connect(&login(&db, "docket_scheduler").await).await.unwrap();
    book_lost_calls(&mut scheduler).await.unwrap();
    assert_eq!(count(&owner, "llm_ledger where status = 'lost' and cost_micro_usd = 7").await, 1);
}
