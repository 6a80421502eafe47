//! One budget a host for the whole fleet: two workers ask a site that notes when it is asked.

use crate::{
    fleet::toys::{Script, TestFleet, plain},
    support::TestDb,
};
use docket::{
    civic::{
        Services,
        model::Vendor,
        record::{Purpose, Scope},
        settings::CivicSettings,
        vendor::http::{Allowed, Ask, FetchError, PaceSettings},
    },
    db::{Pool, PoolOptions, PoolPurpose, pool},
    fleet::{
        handler::{Context, Handler, HandlerError, Registry},
        job::{Hold, NewJob},
        pace::{Outcome, Paces, Rules},
        ports::Ledger,
    },
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

const MS: Duration = Duration::from_millis(1);

/// When the site was asked, and how many it answered at once at the most.
#[derive(Default)]
struct Seen {
    at: Vec<Instant>,
    now: usize,
    most: usize,
}

/// A site that needs its time.
struct Site {
    addr: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Site {
    /// `script` maps the number of a request, from 0, to how long the answer takes and what it is.
    async fn start(script: impl Fn(usize) -> (Duration, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (seen, script) = (Arc::<Mutex<Seen>>::default(), Arc::new(script));
        let log = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), log.clone()));
            }
        });
        Self { addr, seen }
    }

    fn asked(&self) -> Vec<Instant> {
        self.seen.lock().unwrap().at.clone()
    }

    /// Between one request and the next.
    fn gaps(&self) -> Vec<Duration> {
        self.asked().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn services(&self, pool: Pool, spacing: Duration) -> Arc<Services> {
        let mut settings = CivicSettings::default();
        settings.pace = PaceSettings { spacing, paces_allowed: true, ..settings.pace };
        settings.http.allowed = vec![Allowed { host: self.addr.ip().to_string(), port: self.addr.port() }];
        Arc::new(Services::new(pool, settings).unwrap())
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<impl Fn(usize) -> (Duration, String) + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.at.push(Instant::now());
        seen.now += 1;
        seen.most = seen.most.max(seen.now);
        seen.at.len() - 1
    };
    let (time, answer) = script(number);
    sleep(time).await;
    // Before the last byte: whoever has read it may ask again.
    seen.lock().unwrap().now -= 1;
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn ok() -> String {
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]".to_owned()
}

fn too_many(retry_after: &str) -> String {
    format!("HTTP/1.1 429 Slow down\r\nConnection: close\r\nRetry-After: {retry_after}\r\nContent-Length: 0\r\n\r\n")
}

/// Asks the site once, as the domain's handlers do.
struct AskSite(Arc<Services>, String);

impl Handler for AskSite {
    type Args = ();
    type Output = usize;
    const KIND: &'static str = "ask_site";

    async fn run(&self, (): (), ctx: Context) -> Result<usize, HandlerError> {
        let http = self.0.http_for(Scope::new(Purpose::Agenda, Vendor::Legistar, ctx.job.0));
        let ask = Ask::json(Vendor::Legistar);
        let call = http.get(&self.1, &ask);
        Ok(self.0.ask("site", Vendor::Legistar, FetchError::reach, call).await?.body.len())
    }
}

/// Has two workers, each with services of its own, run so many jobs to their end.
async fn run(site: &Site, spacing: Duration, jobs: usize) -> TestFleet {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    for _ in 0..2 {
        let pool = pool(&fleet.db.config(), PoolOptions::new(PoolPurpose::General, 8));
        let services = site.services(pool, spacing);
        let registry = Registry::new().with(AskSite(services, format!("http://{}/", site.addr)));
        fleet.worker_with(32, Arc::new(registry)).await;
    }
    let jobs: Vec<NewJob> = vec![AskSite::job(&()).unwrap(); jobs];
    fleet.enqueue(&jobs).await;
    fleet.until("all done", "select not exists (select from jobs where status <> 'completed')").await;
    let paid = fleet.count("select coalesce(sum(failures), 0)::int8 from jobs").await;
    assert_eq!(paid, 0, "no attempt was paid");
    fleet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_requests_of_two_workers_keep_their_distance() {
    let site = Site::start(|_| (20 * MS, ok())).await;
    let fleet = run(&site, 100 * MS, 40).await;
    let gaps = site.gaps();
    assert_eq!(gaps.len(), 39);
    // A start is decided in the database, and seen at the site some milliseconds later: never exactly as many.
    let (least, all) = (gaps.iter().min().unwrap(), gaps.iter().sum::<Duration>());
    assert!(*least >= 50 * MS, "100 ms less a fifth, and what a busy machine adds to the one before: {gaps:?}");
    assert!(all >= 39 * 88 * MS, "no faster on the whole: {all:?}");
    assert!(site.seen.lock().unwrap().most <= 2);
    let released = fleet.count("select count(*) from job_attempts where outcome = 'released'").await;
    assert!((1..=2 * 40).contains(&released), "who waits longer is held, and not handed to and fro: {released}");
    let recorded = fleet.count("select count(*) from responses where status = 200 and purpose = 'agenda'").await;
    assert_eq!(recorded, 40);
    println!("40 requests in {all:?}, the nearest two {least:?} apart, {released} releases");
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_after_in_seconds_or_as_a_date_closes_the_host_until_then() {
    for as_date in [false, true] {
        let site = Site::start(move |number| match number {
            2 if as_date => {
                let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
                (MS, too_many(&jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap()))
            }
            2 => (MS, too_many("2")),
            _ => (MS, ok()),
        })
        .await;
        let fleet = run(&site, 50 * MS, 8).await;
        let gaps = site.gaps();
        assert_eq!(gaps.len(), 8, "eight jobs, and one of them asked twice");
        // One more may have been under way; a date has whole seconds.
        let longest = gaps.iter().max().unwrap();
        assert!(*longest >= 1_900 * MS, "{gaps:?}");
        assert!(gaps.iter().filter(|gap| **gap >= 1_000 * MS).count() == 1, "{gaps:?}");
        let closed = gaps.iter().position(|gap| gap == longest).unwrap();
        assert!((2..=3).contains(&closed), "nobody asked after the refusal was known: {gaps:?}");
        fleet.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_site_is_asked_more_slowly() {
    let site = Site::start(|_| (400 * MS, ok())).await;
    let fleet = run(&site, 20 * MS, 8).await;
    let gaps = site.gaps();
    // The first two start before any answer tells how slow it is.
    assert!(gaps[2..].iter().all(|gap| *gap >= 250 * MS), "400 ms less a fifth: {gaps:?}");
    fleet.stop().await;
}

fn is_held<T>(entered: &Result<T, HandlerError>) -> bool {
    matches!(entered, Err(HandlerError::Held { hold: Hold::Limit, key }) if key == "host")
}

fn paces(db: &TestDb) -> Paces {
    Paces::new(pool(&db.config(), PoolOptions::new(PoolPurpose::General, 4)))
}

#[tokio::test]
async fn the_place_of_a_worker_that_died_is_free_again() {
    let db = TestDb::migrated().await;
    let (one, other) = (paces(&db), paces(&db));
    let rules = Rules { wait: 100 * MS, ..Rules::new(10 * MS, 1, 1_000 * MS) };
    let begun = Instant::now();
    drop(one.enter("host", "legistar", &rules).await.unwrap());
    assert!(is_held(&other.enter("host", "legistar", &rules).await), "the only place is taken");
    other.enter("another host", "legistar", &rules).await.unwrap().ended(Outcome::Good).await;
    sleep((1_010 * MS).saturating_sub(begun.elapsed())).await;
    other.enter("host", "legistar", &rules).await.unwrap().ended(Outcome::Good).await;
}

#[tokio::test]
async fn refusals_are_free_for_six_hours_and_the_database_remembers() {
    let db = TestDb::migrated().await;
    let rules = Rules::new(10 * MS, 2, 1_000 * MS);
    let refused = async || {
        let permit = paces(&db).enter("host", "legistar", &rules).await.unwrap();
        permit.ended(Outcome::Refused(Some(Duration::ZERO))).await
    };
    assert!(refused().await.is_some(), "it waits without cost");
    let sql = "update paces set refused_since = now() - interval '7 hours', free_at = now(), turn_at = now()";
    db.connect().await.batch_execute(sql).await.unwrap();
    assert!(refused().await.is_none(), "it pays");
    let permit = paces(&db).enter("host", "legistar", &rules).await.unwrap();
    permit.ended(Outcome::Good).await;
    assert!(refused().await.is_some(), "one good answer, and it begins anew");
}

#[tokio::test]
async fn five_thousand_jobs_that_wait_come_back_as_fast_as_their_host_is_asked() {
    let fleet = TestFleet::without_broker().await;
    let jobs: Vec<NewJob> =
        (0..5_000).map(|n| plain(Script::default()).priority(if n == 4_000 { 120 } else { 100 })).collect();
    fleet.enqueue(&jobs).await;
    let paces = "update jobs set hold = 'limit', hold_key = 'host', hold_until = null;
        insert into paces (key, label, spacing_ms, free_at, turn_at) values ('host', 'legistar', 100, now(), now())";
    fleet.client.batch_execute(paces).await.unwrap();
    let (ledger, due) = (fleet.ledger(), "select count(*) from jobs where due");
    let begun = Instant::now();
    let mut lifted = 0;
    for _ in 0..15 {
        lifted += ledger.lift_paces(1_000).await.unwrap();
        lifted += ledger.lift_due(1_000).await.unwrap();
        sleep(100 * MS).await;
    }
    let seconds = begun.elapsed().as_secs() + 1;
    assert!((10..=10 * seconds + 10).contains(&lifted), "ten a second: {lifted} in {:?}", begun.elapsed());
    assert_eq!(fleet.count(due).await, i64::try_from(lifted).unwrap());
    assert_eq!(fleet.count("select count(*) from jobs where due and priority = 120").await, 1, "the most urgent first");

    let close = "update paces set free_at = now() + interval '1 hour', lift_at = now()";
    fleet.client.batch_execute(close).await.unwrap();
    assert_eq!(ledger.lift_paces(1_000).await.unwrap(), 0, "a closed host gets nobody back");
    let slow = "update paces set free_at = now(), lift_at = now(), spacing_ms = 5000";
    fleet.client.batch_execute(slow).await.unwrap();
    assert_eq!(ledger.lift_paces(1_000).await.unwrap(), 1, "a slow one one at a time");
    assert_eq!(ledger.lift_paces(1_000).await.unwrap(), 0);
}
