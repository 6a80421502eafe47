//! A vendor that is down: asked by one job, while all others wait and nobody pays.

use crate::{
    fleet::toys::{Script, TestFleet, plain},
    support::TestDb,
    vendor::site::{Site, answer},
};
use docket::{
    civic::{
        Services,
        model::Vendor,
        settings::CivicSettings,
        vendor::http::{Ask, FetchError},
    },
    db::{PoolOptions, PoolPurpose, pool},
    fleet::{
        breaker::{Breakers, Rules, state::State},
        handler::{Context, Handler, HandlerError, Registry},
        job::{Hold, NewJob},
        ledger::breakers,
        ports::Ledger,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Asks the site once.
struct AskSite(Arc<Services>, String);

impl Handler for AskSite {
    type Args = ();
    type Output = usize;
    const KIND: &'static str = "ask_site";

    async fn run(&self, (): (), _: Context) -> Result<usize, HandlerError> {
        let ask = Ask::json(Vendor::Legistar);
        let call = self.0.http.get(&self.1, &ask);
        Ok(self.0.ask("site", Vendor::Legistar, FetchError::reach, call).await?.body.len())
    }
}

/// A number of the environment, for a run that is longer than a test should be.
fn variable(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Sixty times faster than the real one: a breaker stays open for a second. `DOCKET_OUTAGE_JOBS=5000
/// DOCKET_OUTAGE_SECONDS=30` is an outage of half an hour with five thousand jobs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_costs_no_job_and_one_probe_at_a_time() {
    let (jobs, seconds) = (variable("DOCKET_OUTAGE_JOBS", 300), variable("DOCKET_OUTAGE_SECONDS", 6));
    let open = Duration::from_secs(1);
    let (is_up, asked_down) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let site = {
        let (is_up, asked_down) = (is_up.clone(), asked_down.clone());
        Site::start(move |_| {
            if is_up.load(Ordering::SeqCst) {
                return answer(200, "Connection: close\r\n", "[]");
            }
            asked_down.fetch_add(1, Ordering::SeqCst);
            answer(503, "Connection: close\r\n", "")
        })
        .await
    };

    let mut fleet = TestFleet::new().await;
    let pool = pool(&fleet.db.config(), PoolOptions::new(PoolPurpose::General, 8));
    let mut services = Services::new(pool, CivicSettings { breaker_open: open, ..CivicSettings::default() }).unwrap();
    services.http = site.client();
    let (services, url) = (Arc::new(services), site.url("/"));
    let registry = || Arc::new(Registry::new().with(AskSite(services.clone(), url.clone())));
    fleet.scheduler();
    for _ in 0..2 {
        fleet.worker_with(16, registry()).await;
    }
    let begun = Instant::now();
    let some: Vec<NewJob> = vec![AskSite::job(&()).unwrap(); usize::try_from(jobs).unwrap()];
    fleet.enqueue(&some).await;
    sleep(Duration::from_secs(seconds.into())).await;

    let held = fleet.count("select count(*) from jobs where hold = 'breaker' and hold_key = 'site'").await;
    assert!(held > i64::from(jobs) / 2, "{held} of {jobs} wait");
    let failed = fleet.count("select coalesce(sum(failures), 0)::int8 from jobs").await;
    let asked = asked_down.load(Ordering::SeqCst);
    let elapsed = begun.elapsed();
    // Thirty-two were under way when it began: each may have asked before the breaker opened, then one at a time.
    let most = 32 + usize::try_from(elapsed.as_millis() / open.as_millis()).unwrap() + 1;
    assert!(asked <= most, "{asked} requests in {elapsed:?}, {most} at the most");
    assert!(failed <= 5, "only those that opened it paid: {failed}");

    is_up.store(true, Ordering::SeqCst);
    fleet.until("all done", "select not exists (select from jobs where status <> 'completed')").await;
    let recovery = fleet.count("select coalesce(max(failures), 0)::int8 from jobs").await;
    assert!(recovery <= 1, "no job paid twice: {recovery}");
    println!("{jobs} jobs, {elapsed:?} of outage: {asked} requests, {failed} attempts paid, 0 dead letters");
    fleet.stop().await;
}

#[tokio::test]
async fn one_of_many_is_the_probe_and_its_end_decides() {
    let db = TestDb::migrated().await;
    let pool = || pool(&db.config(), PoolOptions::new(PoolPurpose::General, 4));
    let open = Duration::from_millis(400);
    // Two processes, which share nothing but the database.
    let breakers = || Breakers::new(pool(), Rules::new(open));
    let (one, other) = (breakers(), breakers());
    let is_held = |entered: &Result<_, HandlerError>| matches!(entered, Err(HandlerError::Held { hold: Hold::Breaker, key }) if key == "site");
    for _ in 0..4 {
        let pass = one.enter("site", "legistar").await.unwrap();
        assert!(pass.failed("503").await.is_none(), "it pays: the breaker is closed");
    }
    let pass = other.enter("site", "legistar").await.unwrap();
    assert!(pass.failed("503 again").await.is_some(), "it opened the breaker, and waits");
    assert!(is_held(&one.enter("site", "legistar").await) && is_held(&other.enter("site", "legistar").await));
    one.enter("another site", "legistar").await.unwrap().succeeded().await;

    sleep(open).await;
    let mut probes = Vec::new();
    for breakers in [&one, &other, &one, &other] {
        probes.extend(breakers.enter("site", "legistar").await);
    }
    assert_eq!(probes.len(), 1, "one probe");
    assert!(probes.pop().unwrap().failed("503 still").await.is_some());
    assert!(is_held(&one.enter("site", "legistar").await));
    sleep(open).await;
    one.enter("site", "legistar").await.unwrap().succeeded().await;
    other.enter("site", "legistar").await.unwrap().succeeded().await;

    let client = db.connect().await;
    let rows = breakers::list(&client).await.unwrap();
    let [row] = &rows[..] else { panic!("a host that never failed has no row: {rows:?}") };
    assert_eq!((row.state.as_str(), row.failures, row.reason.as_deref()), ("closed", 0, Some("503 still")));
}

#[tokio::test]
async fn an_operator_opens_and_closes_and_the_schema_refuses_a_leap() {
    let db = TestDb::migrated().await;
    let mut client = db.connect().await;
    let pool = pool(&db.config(), PoolOptions::new(PoolPurpose::General, 2));
    let gate = Breakers::new(pool, Rules::new(Duration::from_secs(60)));
    assert!(breakers::set(&mut client, "site", |_| State::Closed, "test").await.unwrap().is_none(), "nobody knows it");
    let _ = gate.enter("site", "legistar").await.unwrap().failed("503").await;

    let hour = jiff::SignedDuration::from_hours(1);
    let changed = breakers::set(&mut client, "site", |now| State::Open(now + hour), "test").await.unwrap().unwrap();
    assert_eq!((changed.from.state.as_str(), changed.to.state.as_str()), ("closed", "open"));
    assert!(gate.enter("site", "legistar").await.is_err());
    breakers::set(&mut client, "site", |_| State::Closed, "test").await.unwrap().unwrap();
    assert!(gate.enter("site", "legistar").await.is_ok());

    for leap in ["state = 'half_open', until = now()", "state = 'ajar'", "state = 'open'", "failures = -1", "key = ''"]
    {
        let refused = client.execute(&format!("update breakers set {leap}"), &[]).await;
        assert!(refused.is_err(), "{leap}");
    }
}

#[tokio::test]
async fn a_breaker_lifts_one_job_for_its_probe_and_all_when_it_closes() {
    let fleet = TestFleet::without_broker().await;
    fleet.enqueue(&vec![plain(Script::default()); 5]).await;
    let hold = "update jobs set hold = 'breaker', hold_key = 'site', hold_until = null";
    fleet.client.batch_execute(hold).await.unwrap();
    let (ledger, due) = (fleet.ledger(), "select count(*) from jobs where due");
    let breaker = async |state: &str| {
        let sql = format!(
            "insert into breakers (key, label, state, until) values ('site', 'legistar', {state}) on conflict (key) do update set state = excluded.state, until = excluded.until"
        );
        fleet.client.batch_execute(&sql).await.unwrap();
        ledger.lift_breakers(1_000).await.unwrap()
    };
    assert_eq!(breaker("'open', now() + interval '1 hour'").await, 0);
    assert_eq!((breaker("'open', now() - interval '1 second'").await, fleet.count(due).await), (1, 1));
    assert_eq!(breaker("'half_open', now() + interval '1 hour'").await, 0);
    assert_eq!((breaker("'closed', null").await, fleet.count(due).await), (4, 5));
}
