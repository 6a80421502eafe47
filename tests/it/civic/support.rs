//! What the domain's tests share: a city, the services, and a worker without a broker.

use crate::support::TestDb;
use docket::{
    civic::{
        Services, handlers,
        llm::{
            Price, PriceTable, ProviderKind,
            client::{ModelSettings, Thinking},
        },
        settings::{CivicSettings, Models, SummariserSettings},
    },
    db::{PoolOptions, PoolPurpose, pool},
    dev::{
        city::{CitySpec, DemoCity},
        models::ModelServer,
    },
    fleet::{
        breaker::{Breakers, Rules},
        handler::{Context, ErrorClass, HandlerError},
        job::{Hold, JobId, Status},
        ledger::{LedgerConnections, PgLedger, PgTx},
        ports::{Claimed, Completion, Failure, Ledger, Release, ReleaseHold, WorkerSpec},
        settings::Protocol,
    },
};
use jiff::tz::TimeZone;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_postgres::{Client, Config, GenericClient};
use tokio_util::sync::CancellationToken;

/// The key of every made-up model's server.
pub(super) const KEY: &str = "sk-test-not-a-key";

/// A schema of its own, with all migrations.
pub(super) async fn database() -> (Config, Client) {
    let db = TestDb::migrated().await;
    (db.config(), db.connect().await)
}

/// The same schema, for commands.
pub(super) async fn url_of(config: &Config) -> String {
    let mut url = url::Url::parse(&crate::support::services().await.database_url).unwrap();
    let schema = config.get_options().unwrap().rsplit('=').next().unwrap();
    url.set_query(Some(&format!("options=-csearch_path%3D{schema}")));
    url.into()
}

pub(super) fn services(config: &Config, city: &DemoCity) -> Arc<Services> {
    let mut settings = CivicSettings::default();
    settings.http.allowed.push(city.allowed());
    without_breakers(Services::new(pool(config, PoolOptions::new(PoolPurpose::General, 4)), settings).unwrap())
}

/// No time passes between two attempts here, so that faults of single documents would look like an outage.
pub(super) fn without_breakers(mut services: Services) -> Arc<Services> {
    let rules = Rules { failures: i32::MAX, ..Rules::new(Duration::ZERO) };
    services.breakers = Breakers::new(services.pool.clone(), rules);
    Arc::new(services)
}

/// A model of a made-up server that speaks OpenAI's format, at a dollar a million tokens.
pub(super) fn openai(server: &ModelServer, model: &str) -> ModelSettings {
    let price = Price {
        model: model.into(),
        effective_from: jiff::civil::date(2026, 1, 1),
        tier_upto: None,
        input: 1_000_000,
        cached: 100_000,
        output: 2_000_000,
        batch_percent: 50,
        source: "made up".into(),
    };
    ModelSettings {
        provider: ProviderKind::OpenAi,
        base_url: server.openai_url(),
        api_key: Some(KEY.into()),
        model: model.into(),
        timeout: Duration::from_secs(5),
        max_tokens: 500,
        thinking: Thinking::Default,
        quota_zone: TimeZone::UTC,
        prices: Arc::new(PriceTable::new(vec![price])),
    }
}

/// The same of Google's format.
pub(super) fn gemini(server: &ModelServer, model: &str) -> ModelSettings {
    let quota_zone = TimeZone::get("America/Los_Angeles").unwrap();
    let base_url = server.gemini_url();
    ModelSettings { provider: ProviderKind::Gemini, base_url, quota_zone, ..openai(server, model) }
}

pub(super) fn models(list: Vec<ModelSettings>) -> SummariserSettings {
    SummariserSettings::Models(Box::new(Models { list }))
}

pub(super) async fn demo() -> DemoCity {
    DemoCity::start(&CitySpec { slow: Duration::from_millis(10), ..CitySpec::default() }).await.unwrap()
}

pub(super) fn context() -> Context {
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

/// The number of rows of a table, which a condition may follow.
pub(super) async fn count<C: GenericClient + Sync>(client: &C, sql: &str) -> i64 {
    client.query_one(&format!("select count(*) from {sql}"), &[]).await.unwrap().get(0)
}

/// Whether an error is worth another attempt, and its class.
pub(super) fn class(error: &HandlerError) -> (bool, Option<ErrorClass>) {
    (matches!(error, HandlerError::Retryable { .. }), error.class())
}

/// A ledger on this database.
pub(super) fn ledger(config: &Config) -> PgLedger {
    PgLedger::new(config, Protocol::default(), LedgerConnections::default())
}

/// How many attempts of a kind ended in which way.
pub(super) type Ends = BTreeMap<(String, &'static str), usize>;

/// Runs every job to its end as a worker would, one after another and without waiting for any backoff.
pub(super) async fn drain(ledger: &PgLedger, services: &Arc<Services>) -> Ends {
    drain_some(ledger, services, usize::MAX).await
}

/// The same, for so many attempts at most.
pub(super) async fn drain_some(ledger: &PgLedger, services: &Arc<Services>, attempts: usize) -> Ends {
    let registry = handlers(services.clone());
    let kinds: Vec<String> = registry.kinds().map(|meta| meta.kind.to_owned()).collect();
    let spec = WorkerSpec { name: "test".into(), slots: 1, lanes: vec!["default".into()], kinds: kinds.clone() };
    let worker = ledger.register(&spec).await.unwrap();
    let mut ends = Ends::new();
    while ends.values().sum::<usize>() < attempts {
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
            priority: job.priority,
            trace_id: job.trace_id,
            ..context()
        };
        let end = match handler.run(job.args.clone().unwrap(), job.args_version, ctx).await {
            Ok(done) => {
                let completion = Completion { id: job.id, epoch: job.epoch, output: done.output, keep: true };
                let (mut tx, ours): (PgTx, _) = ledger.begin_effects(&[&completion], &[job.message]).await.unwrap();
                assert!(ours.contains(&job.id));
                done.apply.unwrap()(&mut tx).await.unwrap();
                ledger.commit(tx).await.unwrap();
                "completed"
            }
            Err(error) if error.class().is_none() => put_back(ledger, &job, error).await,
            Err(error) => fail(ledger, &job, &error).await,
        };
        *ends.entry((job.kind, end)).or_default() += 1;
    }
    ends
}

/// What a worker books of a job that has to wait.
async fn put_back(ledger: &PgLedger, job: &Claimed, error: HandlerError) -> &'static str {
    let (hold, key, delay, end) = match error {
        HandlerError::Snooze(delay) => (Hold::Scheduled, None, Some(delay), "snoozed"),
        HandlerError::Held { hold, key } => (hold, Some(key), None, "held"),
        HandlerError::HeldFor { hold, key, after } => (hold, Some(key), Some(after), "held"),
        other => panic!("{other}"),
    };
    let release = Release { id: job.id, epoch: job.epoch, hold: Some(ReleaseHold { hold, key, delay }) };
    ledger.release(&[release], &[job.message]).await.unwrap();
    end
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

pub(super) fn total(ends: &Ends, end: &str) -> usize {
    ends.iter().filter(|((_, e), _)| *e == end).map(|(_, n)| n).sum()
}
