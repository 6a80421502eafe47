//! The domain on a real PostgreSQL and a made-up city: what its store keeps, what its handlers make of bad sources,
//! and what is there when all jobs of one listing have ended. Needs `DOCKET_TEST_DATABASE_URL`, a database in which
//! schemas may be created.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use docket::{
    civic::{
        Services, SyncError,
        document::{Extraction, extractor_version},
        enqueue_sync,
        handler::{FetchDocument, FetchDocumentArgs, FetchMeeting, FetchMeetingArgs, SyncCity, SyncCityArgs},
        handlers,
        model::{City, Fingerprint, ParsedAttachment, ParsedItem, ParsedMeeting, Vendor, WebUrl},
        settings::CivicSettings,
        store::{
            MeetingId, RefId, RevisionId,
            cities::{self, CityError},
            documents, extractions, items, meetings,
            refs::{self, NewRef},
            revisions::{self, Content},
            summaries::{self, NewSummary, Subject},
        },
    },
    db::{PoolOptions, PoolPurpose, migrate, parse_url, pool},
    dev::city::{CitySpec, DemoCity},
    fleet::{
        handler::{Context, ErrorClass, Handler, HandlerError},
        job::{JobId, Status},
        ledger::{LedgerConnections, PgLedger, PgTx, operate::requeue},
        ports::{Claimed, Completion, Failure, Ledger, WorkerSpec},
        settings::Protocol,
    },
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_postgres::{Client, Config, GenericClient};
use tokio_util::sync::CancellationToken;

/// A schema of its own, with all migrations.
async fn database() -> (Config, Client) {
    let url = std::env::var("DOCKET_TEST_DATABASE_URL").expect("DOCKET_TEST_DATABASE_URL names a database for tests");
    let schema = format!("civic_{}", uuid::Uuid::new_v4().simple());
    let admin = docket::db::connect(&parse_url(&url).unwrap()).await.unwrap();
    admin.batch_execute(&format!("create schema {schema}")).await.unwrap();
    let mut config = parse_url(&url).unwrap();
    config.options(format!("-c search_path={schema}"));
    migrate(&config).await.unwrap();
    let client = docket::db::connect(&config).await.unwrap();
    (config, client)
}

fn services(config: &Config, city: &DemoCity) -> Arc<Services> {
    let mut settings = CivicSettings::default();
    settings.http.allowed.push(city.allowed());
    Arc::new(Services::new(pool(config, PoolOptions::new(PoolPurpose::General, 4)), settings).unwrap())
}

async fn demo() -> DemoCity {
    DemoCity::start(&CitySpec { slow: Duration::from_millis(10), ..CitySpec::default() }).await.unwrap()
}

fn context() -> Context {
    Context {
        job: JobId(1),
        epoch: 1,
        attempt: 1,
        parent: None,
        priority: 100,
        trace_id: None,
        token: CancellationToken::new(),
    }
}

async fn count<C: GenericClient + Sync>(client: &C, sql: &str) -> i64 {
    client.query_one(&format!("select count(*) from {sql}"), &[]).await.unwrap().get(0)
}

// ------------------------------------------------------------------------------------------------ store

fn meeting() -> ParsedMeeting {
    serde_json::from_value(json!({
        "vendor_id": "7", "body_name": "City Council", "title": "City Council", "local_date": "2026-03-08",
        "local_time": "18:30:00", "time_text": "6:30 PM", "status": "scheduled", "status_evidence": null,
        "location": null, "agenda_url": null, "minutes_url": null, "page_url": null, "agenda_status": null,
        "comment": null,
    }))
    .unwrap()
}

fn item(id: &str, title: &str) -> ParsedItem {
    ParsedItem {
        vendor_id: id.into(),
        sequence: Some(1),
        number: None,
        title: title.into(),
        matter: None,
        attachments: vec![ParsedAttachment {
            vendor_id: None,
            name: "Report".into(),
            url: WebUrl::parse("https://city.example/r.pdf").unwrap(),
        }],
        note: None,
        action: None,
        consent: false,
    }
}

async fn stored(client: &Client, city: &City) -> MeetingId {
    let id = cities::add(client, city).await.unwrap();
    meetings::upsert(client, id, &city.zone, &meeting()).await.unwrap()
}

#[tokio::test]
async fn a_city_is_added_once_and_an_unknown_one_is_named() {
    let (_, client) = database().await;
    let city = demo().await.city();
    let unknown = enqueue_sync(&client, &city.slug, &CivicSettings::default()).await;
    assert!(matches!(unknown, Err(SyncError::City(CityError::Unknown { .. }))));
    let id = cities::add(&client, &city).await.unwrap();
    assert_eq!(cities::add(&client, &city).await.unwrap(), id);
    assert_eq!(cities::list(&client).await.unwrap()[0].city, city);
    let renamed = City { name: "Another".into(), ..city.clone() };
    assert!(matches!(cities::add(&client, &renamed).await, Err(CityError::Taken { .. })));
    let twin = City { slug: "twin".into(), ..city.clone() };
    assert!(matches!(cities::add(&client, &twin).await, Err(CityError::Taken { .. })), "one source, two names");
    let bad = City { slug: "Not A Slug".into(), ..city };
    assert!(matches!(cities::add(&client, &bad).await, Err(CityError::Slug(_))));
    let error = cities::find(&client, &"atlantis".into()).await.unwrap_err().to_string();
    assert!(error.contains("alder-falls"), "{error}");
}

#[tokio::test]
async fn a_revision_is_added_when_something_is_new_and_never_changed() {
    let (_, client) = database().await;
    let id = stored(&client, &demo().await.city()).await;
    let content = |title: &str| Content { meeting: meeting(), items: vec![item("1", title)] };
    let first = revisions::append(&client, id, &content("Lease")).await.unwrap();
    assert!(first.is_some());
    assert_eq!(revisions::append(&client, id, &content("Lease")).await.unwrap(), None, "the same again");
    assert!(revisions::append(&client, id, &content("Lease, amended")).await.unwrap() > first);
    assert!(revisions::append(&client, id, &content("Lease")).await.unwrap().is_some(), "back to an earlier state");
    assert_eq!(count(&client, "meeting_revisions").await, 3);
    assert!(client.execute("update meeting_revisions set content = '{}'", &[]).await.is_err());
}

#[tokio::test]
async fn what_an_agenda_drops_stays_unlisted_and_returns() {
    let (_, client) = database().await;
    let id = stored(&client, &demo().await.city()).await;
    let both = [item("2", "Second"), item("1", "First")];
    let rows = items::replace(&client, id, &both).await.unwrap();
    assert_eq!(items::replace(&client, id, &both).await.unwrap(), rows, "in the order of the call, and stable");
    let url = both[0].attachments[0].url.clone();
    let reference = |item| NewRef { item, name: "Report".into(), url: url.clone() };
    let all = [reference(None), reference(Some(rows[0])), reference(Some(rows[1]))];
    let before = refs::replace(&client, id, &all).await.unwrap();
    assert_eq!(before.len(), 3, "one address at three places");
    assert_eq!(items::replace(&client, id, &both[..1]).await.unwrap(), rows[..1]);
    assert_eq!(refs::replace(&client, id, &all[..2]).await.unwrap().len(), 2);
    assert_eq!(count(&client, "agenda_items where not listed").await, 1);
    assert_eq!(count(&client, "document_refs where status = 'withdrawn'").await, 1);
    items::replace(&client, id, &both).await.unwrap();
    assert_eq!(refs::replace(&client, id, &all).await.unwrap(), before);
    assert_eq!(items::replace(&client, id, &[]).await.unwrap(), []);
    assert_eq!(count(&client, "agenda_items where listed").await, 0);
}

#[tokio::test]
async fn documents_and_summaries_are_kept_once() {
    let (_, client) = database().await;
    let id = stored(&client, &demo().await.city()).await;
    let rows = items::replace(&client, id, &[item("1", "First"), item("2", "Second")]).await.unwrap();
    let sha256 = Fingerprint::of_bytes(b"");
    let extraction = Extraction { text: "text".into(), chars: 4, extractor: "e/1".into(), ..Extraction::default() };
    for _ in 0..2 {
        documents::put(&client, &sha256, "empty", b"").await.unwrap();
        extractions::put(&client, &sha256, &extraction).await.unwrap();
    }
    assert_eq!(documents::content(&client, &sha256).await.unwrap(), Some(Vec::new()));
    assert_eq!(extractions::find(&client, &sha256, "e/1").await.unwrap(), Some(extraction));
    assert_eq!(extractions::find(&client, &sha256, "e/2").await.unwrap(), None);

    let new = |cost| NewSummary {
        input_hash: sha256.clone(),
        model: "small".into(),
        body: "It is decided.".into(),
        tokens_in: 10,
        tokens_out: 2,
        cost_micro_usd: cost,
    };
    assert_eq!(summaries::paid(&client, &sha256, "small").await.unwrap(), None);
    let first = summaries::put(&client, Subject::Item(rows[0]), &new(5)).await.unwrap();
    assert_eq!(summaries::put(&client, Subject::Item(rows[0]), &new(5)).await.unwrap(), first);
    assert_ne!(summaries::put(&client, Subject::Item(rows[1]), &new(0)).await.unwrap(), first);
    assert_eq!(summaries::paid(&client, &sha256, "small").await.unwrap().as_deref(), Some("It is decided."));
    assert_eq!(summaries::paid(&client, &sha256, "large").await.unwrap(), None);
    items::set_summary(&client, rows[0], first).await.unwrap();
    assert_eq!(items::summarised(&client, id).await.unwrap().len(), 1);
    assert!(client.execute("update summaries set body = 'x'", &[]).await.is_err());
}

// ------------------------------------------------------------------------------------------------ handlers

fn class(error: &HandlerError) -> (bool, Option<ErrorClass>) {
    (matches!(error, HandlerError::Retryable { .. }), error.class())
}

#[tokio::test]
async fn bad_cities_and_meetings_fail_at_once() {
    let (config, client) = database().await;
    let demo = demo().await;
    let services = services(&config, &demo);
    let mut city = demo.city();
    city.source.client = "atlantis".into();
    cities::add(&client, &city).await.unwrap();
    let handler = SyncCity(services.clone());
    let sync = |city: &str| handler.run(SyncCityArgs { city: city.into(), slot: 1 }, context());
    let never_there = sync("alder-falls").await.unwrap_err();
    assert_eq!(class(&never_there), (false, Some(ErrorClass::UnknownClient)), "{never_there}");
    assert_eq!(class(&sync("nowhere").await.unwrap_err()), (false, Some(ErrorClass::InvalidArgs)));
    let args = FetchMeetingArgs { city: city.slug, meeting: "999".into() };
    let unlisted = FetchMeeting(services.clone()).run(args, context()).await.unwrap_err();
    assert_eq!(class(&unlisted), (false, Some(ErrorClass::InvalidArgs)));
}

#[tokio::test]
async fn documents_that_cannot_be_had() {
    let (config, _client) = database().await;
    let demo = demo().await;
    let fetch = FetchDocument(services(&config, &demo));
    let run = |url: String| {
        let args = FetchDocumentArgs { reference: RefId(1), revision: RevisionId(1), url, vendor: Vendor::Legistar };
        fetch.run(args, context())
    };
    let missing = run(format!("http://{}/files/0.pdf", demo.address())).await.unwrap_err();
    assert_eq!(class(&missing), (false, Some(ErrorClass::NotFound)));
    let private = run("http://127.0.0.1:1/secret".into()).await.unwrap_err();
    assert_eq!(class(&private), (false, Some(ErrorClass::RefusedAddress)));
    let file = run("file:///etc/passwd".into()).await.unwrap_err();
    assert!(matches!(file, HandlerError::NonRetryable { .. }));
}

// ------------------------------------------------------------------------------------------------ the whole way

/// Runs every job to its end as a worker would, one after another and without waiting for any backoff.
async fn drain(ledger: &PgLedger, services: &Arc<Services>) -> BTreeMap<(String, &'static str), usize> {
    let registry = handlers(services.clone());
    let kinds: Vec<String> = registry.kinds().map(|meta| meta.kind.to_owned()).collect();
    let spec = WorkerSpec { name: "test".into(), slots: 1, lanes: vec!["default".into()], kinds: kinds.clone() };
    let worker = ledger.register(&spec).await.unwrap();
    let mut ends = BTreeMap::new();
    loop {
        let lifted = ledger.lift_due(1_000).await.unwrap();
        let Some(job) = ledger.lease(worker, "default", &kinds, 1).await.unwrap().pop() else {
            if lifted == 0 {
                return ends;
            }
            continue;
        };
        let handler = registry.get(&job.kind).unwrap();
        let ctx = Context {
            job: job.id,
            epoch: job.epoch,
            attempt: job.failures + 1,
            parent: job.parent,
            trace_id: job.trace_id,
            ..context()
        };
        let end = match handler.run(job.args.clone(), job.args_version, ctx).await {
            Ok(done) => {
                let completion = Completion { id: job.id, epoch: job.epoch, output: done.output };
                let mut tx: PgTx = ledger.begin_effects(&completion, &[job.message]).await.unwrap().unwrap();
                done.apply.unwrap()(&mut tx).await.unwrap();
                ledger.commit(tx).await.unwrap();
                "completed"
            }
            Err(error) => fail(ledger, &job, &error).await,
        };
        *ends.entry((job.kind, end)).or_default() += 1;
    }
}

async fn fail(ledger: &PgLedger, job: &Claimed, error: &HandlerError) -> &'static str {
    let failure = Failure {
        id: job.id,
        epoch: job.epoch,
        retryable: class(error).0,
        class: error.class().unwrap(),
        error: error.to_string(),
        delay: Duration::ZERO,
    };
    match ledger.fail(&[failure], &[job.message]).await.unwrap()[0].status {
        Status::Pending => "retried",
        Status::Failed => "failed",
        Status::DeadLetter => "dead_letter",
        other => panic!("a failure made {other:?}: {error}"),
    }
}

fn total(ends: &BTreeMap<(String, &'static str), usize>, end: &str) -> usize {
    ends.iter().filter(|((_, e), _)| *e == end).map(|(_, n)| n).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_listing_ends_in_what_the_city_expects() {
    let (config, client) = database().await;
    let demo = demo().await;
    let services = services(&config, &demo);
    let ledger = PgLedger::new(&config, Protocol::default(), LedgerConnections::default());
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
    docket::fleet::enqueue::enqueue_one(client, SyncCity::job(&args).unwrap()).await.unwrap();
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
    docket::fleet::enqueue::enqueue_one(client, SyncCity::job(&args).unwrap()).await.unwrap();
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
    let ledger = PgLedger::new(&config, Protocol::default(), LedgerConnections::default());
    cities::add(&client, &demo.city()).await.unwrap();
    enqueue_sync(&client, &demo.city().slug, &services.settings).await.unwrap();
    let ends = drain(&ledger, &services).await;
    let expected = demo.expected();
    let rows = async |sql: &str| usize::try_from(count(&client, sql).await).unwrap();
    let seen = [rows("meetings").await, rows("agenda_items").await, rows("documents").await, rows("summaries").await];
    assert_eq!(seen, [expected.meetings, expected.items, expected.documents, expected.summaries]);
    let ended = ["failed", "dead_letter", "retried"].map(|end| total(&ends, end));
    assert_eq!(ended, [expected.failed, expected.dead_letter, expected.min_retries], "{ends:?}");
    assert!(expected.cancelled == 2 && expected.dead_letter == 2, "{expected:?}");
}
