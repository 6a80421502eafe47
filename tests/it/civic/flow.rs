//! What is there when all jobs of one listing have ended.

use super::support::{Ends, count, database, demo, drain, drain_some, ledger, services, total};
use docket::{
    civic::{
        Services,
        document::extractor_version,
        enqueue_sync,
        handler::{SyncCity, SyncCityArgs},
        store::cities,
    },
    dev::city::{CitySpec, DemoCity},
    fleet::{
        enqueue::enqueue_one,
        handler::Handler,
        job::JobId,
        ledger::{PgLedger, operate::requeue},
    },
};
use std::{sync::Arc, time::Duration};
use tokio_postgres::Client;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_listing_ends_in_what_the_city_expects() {
    let (config, client) = database().await;
    let demo = demo().await;
    let services = services(&config, &demo);
    let ledger = ledger(&config);
    cities::add(&client, &demo.city()).await.unwrap();
    enqueue_sync(&client, &demo.city().slug, &services.settings).await.unwrap();
    let ends = drain(&ledger, &services).await;

    let expected = demo.expected();
    let rows = async |sql: &str| usize::try_from(count(&client, sql).await).unwrap();
    assert_eq!(rows("meetings").await, expected.meetings);
    assert_eq!(rows("meetings where status = 'cancelled' and revision_id is null").await, expected.cancelled);
    assert_eq!(rows("agenda_items").await, expected.items);
    assert_eq!(rows("agenda_items where skip_reason is not null").await, expected.skipped);
    assert_eq!(rows("documents").await, expected.documents);
    assert_eq!(rows("extractions where chars > 0 and flags = '{}'").await, expected.documents);
    assert_eq!(rows("summaries").await, expected.summaries);
    assert_eq!(rows("matters").await, expected.matters);
    assert!(rows("matter_appearances").await > expected.matters, "a second reading is a further appearance");
    assert_eq!(total(&ends, "failed"), expected.failed, "{ends:?}");
    assert_eq!(total(&ends, "dead_letter"), expected.dead_letter, "{ends:?}");
    assert_eq!(total(&ends, "retried"), expected.min_retries, "{ends:?}");
    assert_eq!(rows("jobs where status in ('pending', 'queued', 'processing')").await, 0, "nothing waits for ever");

    let early = "jobs p join jobs c on c.parent_id = p.id where c.finished_at > p.started_at";
    assert_eq!(rows(early).await, 0, "no parent started before its last child had ended");
    let unsummarised = "meetings where status <> 'cancelled' and summary_id is null";
    assert_eq!(rows(unsummarised).await, 0);
    let version = extractor_version().await.unwrap();
    assert_eq!(rows(&format!("extractions where extractor = '{version}'")).await, expected.documents);

    again(&client, &ledger, &services).await;
    given_back(&client, &ledger, &services).await;
    revised(&client, &ledger, &services).await;
}

/// A later listing of an unchanged city reads near agendas once more, and does nothing else.
async fn again(client: &Client, ledger: &PgLedger, services: &Arc<Services>) {
    let before = (count(client, "summaries").await, count(client, "llm_ledger").await);
    let args = SyncCityArgs { city: "alder-falls".into(), slot: -1 };
    enqueue_one(client, SyncCity::job(&args).unwrap()).await.unwrap();
    let ends = drain(ledger, services).await;
    let kinds: Vec<&str> = ends.keys().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["fetch_meeting", "sync_city"], "{ends:?}");
    assert_eq!((count(client, "summaries").await, count(client, "llm_ledger").await), before);
}

/// The dead letter's document can be had at last: its item and its meeting are summarised once more, nothing else is.
async fn given_back(client: &Client, ledger: &PgLedger, services: &Arc<Services>) {
    let sql = "update jobs set args = jsonb_set(args, '{url}', (select args->'url' from jobs where kind = 'fetch_document' \
               and status = 'completed' limit 1)) where status = 'dead_letter' returning id";
    let dead = JobId(client.query_one(sql, &[]).await.unwrap().get(0));
    requeue(client, &[dead], "a test").await.unwrap();
    let (summaries, documents) = (count(client, "summaries").await, count(client, "documents").await);
    let ends = drain(ledger, services).await;
    let ran: Vec<(&str, &str, usize)> = ends.iter().map(|((kind, end), n)| (kind.as_str(), *end, *n)).collect();
    let once = ["extract_document", "fetch_document", "summarise_item", "summarise_meeting"];
    assert_eq!(ran, once.map(|kind| (kind, "completed", 1)));
    assert_eq!(count(client, "documents").await, documents, "the bytes are known");
    assert!(count(client, "summaries").await > summaries);
}

/// A new revision has its own jobs, and pays for nothing that was paid for.
async fn revised(client: &Client, ledger: &PgLedger, services: &Arc<Services>) {
    client.execute("update meetings set revision_id = null", &[]).await.unwrap();
    let counted = async || (count(client, "summaries").await, count(client, "llm_ledger").await);
    let (before, revisions) = (counted().await, count(client, "meeting_revisions").await);
    let args = SyncCityArgs { city: "alder-falls".into(), slot: -2 };
    enqueue_one(client, SyncCity::job(&args).unwrap()).await.unwrap();
    let ends = drain(ledger, services).await;
    let read = ends[&("fetch_meeting".to_owned(), "completed")];
    assert_eq!(ends[&("summarise_meeting".to_owned(), "completed")], read, "{ends:?}");
    assert_eq!(count(client, "meeting_revisions").await, revisions + i64::try_from(read).unwrap());
    assert!(ends[&("fetch_document".to_owned(), "completed")] > read, "the documents are fetched again");
    assert_eq!(counted().await, before);
    assert!(count(client, "jobs where status = 'pending'").await == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_larger_city_of_another_seed_ends_as_expected_too() {
    let (config, client) = database().await;
    let spec = CitySpec { meetings: 16, seed: 7, slow: Duration::ZERO, ..CitySpec::default() };
    let demo = DemoCity::start(&spec).await.unwrap();
    let services = services(&config, &demo);
    let ledger = ledger(&config);
    cities::add(&client, &demo.city()).await.unwrap();
    enqueue_sync(&client, &demo.city().slug, &services.settings).await.unwrap();
    let ends = drain_together(&ledger, &services).await;
    let expected = demo.expected();
    let rows = async |sql: &str| usize::try_from(count(&client, sql).await).unwrap();
    let seen = [rows("meetings").await, rows("agenda_items").await, rows("documents").await, rows("summaries").await];
    assert_eq!(seen, [expected.meetings, expected.items, expected.documents, expected.summaries]);
    let ended = ["failed", "dead_letter", "retried"].map(|end| total(&ends, end));
    assert_eq!(ended, [expected.failed, expected.dead_letter, expected.min_retries], "{ends:?}");
    assert!(expected.cancelled == 2 && expected.dead_letter == 2, "{expected:?}");
}

/// Four workers at once: effects of the same items and documents meet in the database.
async fn drain_together(ledger: &PgLedger, services: &Arc<Services>) -> Ends {
    let mut workers = tokio::task::JoinSet::new();
    // The listing first: a worker that finds nothing to do goes home.
    let mut ends = drain_some(ledger, services, 1).await;
    for _ in 0..4 {
        let (ledger, services) = (ledger.clone(), services.clone());
        workers.spawn(async move { drain(&ledger, &services).await });
    }
    for worker in workers.join_all().await {
        for (end, n) in worker {
            *ends.entry(end).or_default() += n;
        }
    }
    ends
}
