//! Too much at once, and a database in trouble.

use super::support::{Api, Server, is_error};
use crate::{
    broker::support::{LONG, until},
    support::{TestLedger, services},
};
use docket::{
    db,
    fleet::gate::MaxPending,
    http::{HttpSettings, Rates},
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use url::Url;

async fn enqueue(api: &Api, n: usize) -> (u16, Value) {
    let (status, answer) = api.post("/api/jobs", &json!({"kind": "sync_city", "args": {"n": n}})).await;
    (status.as_u16(), answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_each_get_one_answer_that_holds() {
    const CLIENTS: usize = 100;
    let db = TestLedger::new().await;
    let rates = Rates { requests: 1, requests_burst: 4_000, ..Rates::default() };
    let settings = HttpSettings { rates, ..HttpSettings::default() };
    let api = Arc::new(Server { settings, ..Server::on(&db.config) }.start().await);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let api = api.clone();
        clients.spawn(async move {
            let (mut accepted, mut busy, mut unknown) = (Vec::new(), 0, 0);
            for n in 0..10_000 / CLIENTS {
                match enqueue(&api, client * 1000 + n).await {
                    (201, answer) => accepted.push(answer["id"].as_i64().unwrap()),
                    (status @ (429 | 503), answer) => {
                        assert!(answer["error"]["code"].is_string(), "{answer}");
                        busy += usize::from(status == 503);
                        unknown += usize::from(answer["error"]["code"] == "unknown");
                    }
                    other => panic!("{other:?}"),
                }
            }
            (accepted, (busy, unknown))
        });
    }
    let (accepted, troubles): (Vec<_>, Vec<(usize, usize)>) = clients.join_all().await.into_iter().unzip();
    let (accepted, (busy, unknown)): (Vec<i64>, (Vec<_>, Vec<_>)) = (accepted.concat(), troubles.into_iter().unzip());
    let (busy, unknown): (usize, usize) = (busy.into_iter().sum(), unknown.into_iter().sum());
    let distinct: BTreeSet<i64> = accepted.iter().copied().collect();
    assert_eq!(distinct.len(), accepted.len(), "no id was told twice");
    // Who waits for a commit that stalls is told so by a 503, and has spent its place in the burst.
    let taken = accepted.len();
    assert!(taken + busy >= 4_000 && taken < 10_000, "{taken} were accepted, {busy} were told to come again");
    let rows = db.client.query("select id from jobs", &[]).await.unwrap();
    let rows: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert!(rows.is_superset(&distinct), "each is there");
    assert!(rows.len() - distinct.len() <= unknown, "and no other, but for {unknown} whose commit nobody told");
    assert_eq!(db.number("select count(distinct args->>'n') from jobs").await, i64::try_from(rows.len()).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_sent_by_fifty_at_once_is_taken_once() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let body = json!({"kind": "sync_city", "idempotency_key": "k"});
    let answers = join_all((0..50).map(|_| api.post("/api/jobs", &body))).await;
    let new: Vec<_> = answers.iter().filter(|answer| answer.0.as_u16() == 201).collect();
    assert_eq!(new.len(), 1);
    for answer in answers.iter().filter(|answer| answer.0.as_u16() != 201) {
        is_error(answer, 409, "exists");
        assert_eq!(answer.1["error"]["id"], new[0].1["id"]);
    }
    assert_eq!(db.number("select count(*) from jobs").await, 1);
}

#[tokio::test]
async fn a_kind_has_only_so_many_pending_jobs() {
    let db = TestLedger::new().await;
    for _ in 0..3 {
        db.job("sync_city").await;
    }
    let max_pending = MaxPending { default: 0, kinds: [("sync_city".to_owned(), 5)].into() };
    let api = Server { max_pending, ..Server::on(&db.config) }.start().await;
    let full = async {
        loop {
            // The first count may not be there yet: until then what this process accepted is all that it knows.
            let answer = api.post("/api/jobs", &json!({"kind": "sync_city"})).await;
            if answer.0.as_u16() != 201 {
                break answer;
            }
        }
    };
    let refused = timeout(LONG, full).await.expect("it is counted");
    is_error(&refused, 429, "too_many_pending");
    assert_eq!((&refused.1["error"]["kind"], &refused.1["error"]["max"]), (&json!("sync_city"), &json!(5)));
    let pending = db.number("select count(*) from jobs").await;
    // 4: one that was written as the first count began was counted twice. 8: five were taken before that count came.
    assert!((4..=8).contains(&pending), "{pending}");
    for _ in 0..5 {
        db.job("sync_city").await;
    }
    let two = json!({"jobs": [{"kind": "fetch_document"}, {"kind": "sync_city"}]});
    is_error(&api.post("/api/jobs/bulk", &two).await, 429, "too_many_pending");
    let response = api.request(Method::POST, "/api/jobs").json(&json!({"kind": "sync_city"})).send().await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(api.post("/api/jobs", &json!({"kind": "fetch_document"})).await.0.as_u16(), 201, "another kind");
    assert_eq!(db.number("select count(*) from jobs where kind = 'fetch_document'").await, 1);
    // Workers have done some: the next count sees it.
    db.sql("update jobs set status = 'cancelled', epoch = epoch + 1, finished_at = now() where kind = 'sync_city'")
        .await;
    let one = json!({"kind": "sync_city"});
    until("there is room again", || async { api.post("/api/jobs", &one).await.0.as_u16() == 201 }).await;
}

#[tokio::test]
async fn a_neighbour_that_the_database_refuses_spoils_no_batch() {
    let db = TestLedger::new().await;
    db.sql(
        "create function picky() returns trigger language plpgsql as $$ begin
           if new.args ? 'bad' then raise exception 'no'; end if; return new; end $$;
         create trigger picky before insert on jobs for each row execute function picky()",
    )
    .await;
    let api = Server::on(&db.config).start().await;
    let job = |n: usize| {
        let args = if n.is_multiple_of(5) { json!({"bad": n}) } else { json!({"n": n}) };
        json!({"kind": "sync_city", "args": args})
    };
    let bodies: Vec<Value> = (0..50).map(job).collect();
    let answers = join_all(bodies.iter().map(|body| api.post("/api/jobs", body))).await;
    for (n, answer) in answers.iter().enumerate() {
        if n.is_multiple_of(5) {
            is_error(answer, 500, "internal")
        } else {
            assert_eq!(answer.0.as_u16(), 201, "{answer:?}")
        }
    }
    assert_eq!(db.number("select count(*) from jobs").await, 40);
}

#[tokio::test]
async fn a_database_that_is_away_takes_no_jobs() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = db::parse_url(&format!("postgres://u:hunter2@{nobody}/x?sslmode=disable")).unwrap();
    let api = Server::on(&config).start().await;
    let bulk = json!({"jobs": [{"kind": "sync_city"}]});
    for (path, body) in [("/api/jobs", &json!({"kind": "sync_city"})), ("/api/jobs/bulk", &bulk)] {
        let response = api.request(Method::POST, path).json(body).send().await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"2".parse().unwrap()));
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "unavailable");
        assert!(!body.to_string().contains("hunter2"), "{body}");
    }
    is_error(&api.act("/api/lanes/a/pause").await, 503, "unavailable");
}

/// Passes bytes on, until it swallows what the database answers, and hangs up.
struct Wire {
    port: u16,
    swallows: Arc<AtomicBool>,
}

impl Wire {
    async fn to(host: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, swallows) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let deaf = swallows.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&host).await.unwrap();
                tokio::spawn(pass(client, server, deaf.clone()));
            }
        });
        Self { port, swallows }
    }
}

async fn pass(client: TcpStream, server: TcpStream, deaf: Arc<AtomicBool>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let asks = async { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) };
    let answers = async {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = from_server.read(&mut buffer).await?;
            if read == 0 || deaf.load(Ordering::SeqCst) {
                return std::io::Result::Ok(());
            }
            to_client.write_all(&buffer[..read]).await?;
        }
    };
    tokio::select! {
        _ = asks => {}
        _ = answers => {}
    }
}

#[tokio::test]
async fn a_commit_without_an_answer_is_told_as_unknown_and_can_be_repeated() {
    let db = TestLedger::new().await;
    let real = Url::parse(&services().await.database_url).unwrap();
    let wire = Wire::to(format!("{}:{}", real.host_str().unwrap(), real.port().unwrap())).await;
    let mut url = Url::parse(&db.url).unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(wire.port)).unwrap();
    let api = Server::on(&db::parse_url(url.as_str()).unwrap()).start().await;
    let body = |key: &str| json!({"kind": "sync_city", "idempotency_key": key});
    assert_eq!(api.post("/api/jobs", &body("first")).await.0.as_u16(), 201, "it is connected");
    wire.swallows.store(true, Ordering::SeqCst);
    let unknown = api.post("/api/jobs", &body("second")).await;
    is_error(&unknown, 503, "unknown");
    assert!(unknown.1["error"]["hint"].as_str().unwrap().contains("same idempotency key"));
    wire.swallows.store(false, Ordering::SeqCst);
    // Written or not, the repetition settles it: once.
    let settled = api.post("/api/jobs", &body("second")).await;
    assert!(matches!(settled.0.as_u16(), 201 | 409), "{settled:?}");
    assert_eq!(db.number("select count(*) from jobs where idempotency_key = 'second'").await, 1);
}
