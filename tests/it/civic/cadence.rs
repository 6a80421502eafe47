//! Which cities are listed again, and when; and what is run first.

use super::support::{count, database, ledger};
use docket::{
    civic::{
        handler::{FetchMeeting, FetchMeetingArgs},
        model::{City, CitySlug, Source, Vendor, Zone, meeting_priority},
        settings::CivicSettings,
        store::{CityId, cities, syncs},
        tick,
    },
    fleet::{
        enqueue::{Notify, enqueue},
        handler::Handler,
        ports::{Ledger, WorkerSpec},
    },
};
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Client;

async fn add(client: &Client, name: &str) -> CityId {
    let source = Source { vendor: Vendor::PrimeGov, client: name.to_owned(), params: [].into() };
    let city = City { slug: name.into(), name: name.to_owned(), zone: Zone::new("America/Denver").unwrap(), source };
    cities::add(client, &city).await.unwrap()
}

/// The city was listed so many hours ago.
async fn listed(client: &Client, city: CityId, outcome: &str, hours: i64) {
    let at = Timestamp::now().checked_sub(SignedDuration::from_hours(hours)).unwrap();
    let sql = "insert into city_syncs (city_id, at, outcome, meetings) values ($1, $2, $3, 5)";
    client.execute(sql, &[&city.0, &at, &outcome]).await.unwrap();
}

/// It has a meeting in so many days, of which nothing was heard for a month.
async fn meets(client: &Client, city: CityId, days: i32) {
    let sql = "insert into meetings (city_id, vendor_id, body, title, local_date, zone, status, listing, list_fingerprint, updated_at)
        values ($1, $2::int::text, 'b', 't', (now() at time zone 'America/Denver')::date + $2::int, 'America/Denver', 'scheduled',
                '{}', repeat('a', 64), now() - interval '30 days')";
    client.execute(sql, &[&city.0, &days]).await.unwrap();
}

async fn asked(client: &Client) -> Vec<String> {
    let sql = "select args ->> 'city' from jobs where kind = 'sync_city' order by 1";
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_city_is_listed_at_its_own_pace_and_once_by_any_number_of_schedulers() {
    let (config, client) = database().await;
    let settings = CivicSettings::default();
    add(&client, "new").await;
    // Name, last listing, hours since, days to the next meeting.
    for (name, outcome, hours, days) in [
        ("due-near", "success", 3, 1),
        ("due-quiet", "success", 28, 80),
        ("due-failed", "failed", 5, 80),
        ("due-blocked", "blocked", 28, 0),
        ("not-near", "success", 1, 3),
        ("not-quiet", "success", 20, 80),
        ("not-blocked", "blocked", 20, 0),
        ("not-failed", "failed", 1, 0),
    ] {
        let city = add(&client, name).await;
        listed(&client, city, "success", 200).await;
        listed(&client, city, outcome, hours).await;
        meets(&client, city, days).await;
    }
    let (other, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let now = Timestamp::now();
    let (one, two) = tokio::join!(tick(&client, &settings, now), tick(&other, &settings, now));
    assert_eq!(one.unwrap() + two.unwrap(), 5);
    let due = ["due-blocked", "due-failed", "due-near", "due-quiet", "new"];
    assert_eq!(asked(&client).await, due);
    assert_eq!(tick(&client, &settings, now).await.unwrap(), 0, "their listings wait, or run");

    // Listed meanwhile: not due for now, and again when its time has come.
    let id = cities::find(&client, &CitySlug("new".to_owned())).await.unwrap().id;
    syncs::listed(&client, id, 5).await.unwrap();
    assert_eq!(tick(&client, &settings, now).await.unwrap(), 0);
    let later = now.checked_add(SignedDuration::from_hours(30)).unwrap();
    assert_eq!(
        tick(&client, &settings, later).await.unwrap(),
        9,
        "a day later each of them is, the waiting ones once more"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_is_bounded_and_the_next_one_goes_on() {
    let (_, client) = database().await;
    let sql = "insert into cities (slug, name, zone, vendor, client) select 'c' || n, 'n', 'UTC', 'primegov', 'c' || n from generate_series(1, 150) n";
    client.execute(sql, &[]).await.unwrap();
    let (settings, now) = (CivicSettings::default(), Timestamp::now());
    assert_eq!(tick(&client, &settings, now).await.unwrap(), 100);
    assert_eq!(tick(&client, &settings, now).await.unwrap(), 50);
    assert_eq!(tick(&client, &settings, now).await.unwrap(), 0);
    assert_eq!(count(&client, "jobs where kind = 'sync_city'").await, 150);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tomorrows_meeting_is_claimed_before_a_backfill_of_a_thousand_old_ones() {
    let (config, client) = database().await;
    let job = |n: i32, days: i32| {
        let args = FetchMeetingArgs { city: "a".into(), meeting: n.to_string().as_str().into(), as_of: None };
        FetchMeeting::job(&args).unwrap().priority(meeting_priority(days))
    };
    let backfill: Vec<_> = (1..=1_000).map(|n| job(n, -100 - n)).collect();
    enqueue(&client, &backfill, Notify::No).await.unwrap();
    let near = enqueue(&client, &[job(0, 1)], Notify::No).await.unwrap()[0].id();
    let (ledger, kinds) = (ledger(&config), vec![FetchMeeting::KIND.to_owned()]);
    let spec = WorkerSpec { name: "test".into(), slots: 20, lanes: vec!["default".into()], kinds: kinds.clone() };
    let worker = ledger.register(&spec).await.unwrap();
    // One in ten of a lease is among the oldest, whatever its priority.
    let first = ledger.lease(worker, "default", &kinds, 20).await.unwrap();
    assert!(first.iter().any(|claimed| claimed.id == near), "{:?}", first.iter().map(|c| c.id).collect::<Vec<_>>());
}
