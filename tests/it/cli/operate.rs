//! `docket jobs`, `docket dead`, `docket queue`.

use super::process::{Docket, docket};
use crate::support::TestLedger;
use docket::fleet::job::Status;
use serde_json::{Value, json};

fn on(db: &TestLedger, args: &str) -> Docket {
    docket(args).database(&db.url)
}

#[tokio::test]
async fn statistics_add_up() {
    let db = TestLedger::new().await;
    for status in Status::ALL {
        db.job_in(status).await;
    }
    let held = db.job("greet").await;
    db.sql(&format!("update jobs set hold = 'retry', hold_until = now() where id = {held}")).await;
    let stats = on(&db, "queue stats").json().await;
    let states = ["pending", "queued", "processing", "completed", "failed", "dead_letter", "cancelled"];
    let counts: Vec<i64> = states.iter().map(|state| stats[state].as_i64().unwrap()).collect();
    assert_eq!(counts, [2, 1, 1, 1, 1, 1, 1], "{stats}");
    assert_eq!((&stats["exact"], &stats["lanes"]["default"]["held"]["retry"]), (&json!(true), &json!(1)));
    let table = on(&db, "queue stats").run().await.stdout;
    let all = table.lines().find(|line| line.trim_start().starts_with("all")).unwrap();
    assert_eq!(all.split_ascii_whitespace().collect::<Vec<_>>(), ["all", "2", "1", "1", "1", "1", "1", "1", "1", "8"]);
}

#[tokio::test]
async fn breakers_are_listed_opened_and_closed() {
    let db = TestLedger::new().await;
    assert_eq!(on(&db, "breakers list").json().await, json!({ "items": [] }));
    on(&db, "breakers close granicus.com").fails(64, &["granicus.com", "docket breakers list"]).await;
    db.sql("insert into breakers (key, label, failures, reason) values ('granicus.com', 'granicus', 2, '503')").await;
    let job = db.job("greet").await;
    db.sql(&format!("update jobs set hold = 'breaker', hold_key = 'granicus.com' where id = {job}")).await;

    let opened = on(&db, "breakers open granicus.com --for 2h").json().await;
    assert_eq!(json!([opened["from"], opened["to"]]), json!(["closed", "open"]));
    let row = on(&db, "breakers list").json().await["items"][0].take();
    assert_eq!(json!([row["state"], row["vendor"], row["held_jobs"]]), json!(["open", "granicus", 1]), "{row}");
    assert!(row["reason"].as_str().is_some_and(|reason| reason.starts_with("by ")), "{row}");
    assert!(on(&db, "breakers list").run().await.stdout.contains("granicus.com"));
    let closed = on(&db, "breakers close granicus.com").json().await;
    assert_eq!(json!([closed["from"], closed["to"], closed["until"]]), json!(["open", "closed", null]));
}

#[tokio::test]
async fn workers_and_schedulers_are_listed_and_those_that_signed_off_when_asked_for() {
    let db = TestLedger::new().await;
    let insert = "insert into workers (name, slots, lanes, kinds, state, beat_at) values";
    db.sql(&format!("{insert} ('a', 4, '{{default,x}}', '{{greet}}', 'up', now() - interval '1 minute')")).await;
    db.sql(&format!("{insert} ('b', 0, '{{}}', '{{}}', 'dead', now()), ('c', 1, '{{x}}', '{{greet}}', 'gone', now())"))
        .await;
    db.sql(
        "insert into job_messages (id, worker_id, band, lane, kind, jobs) \
            select 1, id, 1, 'x', 'greet', '{1,2,3}' from workers where name = 'a'",
    )
    .await;
    let items = on(&db, "workers list").json().await["items"].take();
    let fields = |row: &Value| json!([row["name"], row["role"], row["state"], row["holds"]]);
    let rows: Vec<Value> = items.as_array().unwrap().iter().map(fields).collect();
    assert_eq!(rows, [json!(["b", "scheduler", "dead", 0]), json!(["a", "worker", "up", 3])]);
    assert!(items[1]["silent_seconds"].as_f64().is_some_and(|seconds| (60.0..600.0).contains(&seconds)), "{items}");
    assert!(on(&db, "workers list --all").run().await.stdout.contains(" gone "));
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_and_shown() {
    let db = TestLedger::new().await;
    for _ in 0..3 {
        db.job("greet").await;
    }
    db.job("other").await;
    let first = on(&db, "jobs list --kind greet --status pending --lane default --limit 2").json().await;
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let second = on(&db, &format!("jobs list --kind greet --limit 2 --before {}", first["next"])).json().await;
    assert_eq!((second["items"].as_array().map(Vec::len), &second["next"]), (Some(1), &Value::Null));
    assert!(on(&db, "jobs list --limit 1").run().await.stdout.contains("--before"));
    let id = &first["items"][0]["id"];
    assert_eq!(on(&db, &format!("jobs show {id}")).json().await["args"], json!({"n": 1}));
    assert!(on(&db, &format!("jobs show {id}")).run().await.stdout.contains("greet"));
    on(&db, "jobs show 4711").fails(64, &["no job 4711", "docket jobs list"]).await;
}

#[tokio::test]
async fn a_cancel_names_its_actor_and_tells_what_it_left() {
    let db = TestLedger::new().await;
    let (one, done) = (db.job("greet").await, db.job_in(Status::Completed).await);
    let ended = on(&db, &format!("jobs cancel {one} {done} 4711 --json")).run().await;
    assert_eq!(ended.code, 64, "{ended:?}");
    let acted = ended.json_line();
    assert_eq!(acted["done"][0]["status"], "cancelled");
    let left = [
        json!({"id": done, "reason": "wrong_status", "status": "completed"}),
        json!({"id": 4711, "reason": "not_found"}),
    ];
    assert_eq!(acted["refused"], json!(left));
    let actor = format!("select count(*) from job_events where job_id = {one} and actor like 'cli:_%@_%'");
    assert_eq!(db.number(&actor).await, 1);
    assert_eq!(db.status(done).await, Status::Completed);
}

#[tokio::test]
async fn dead_letters_get_a_new_round_or_are_given_up() {
    let db = TestLedger::new().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(db.job_in(Status::DeadLetter).await);
    }
    db.sql(&format!("update jobs set last_error = e'bad \\x1b[31m thing' where id = {}", ids[0])).await;
    let list = on(&db, "dead list --limit 3").json().await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(3));
    let rest = on(&db, &format!("dead list --before {}", list["next"].as_str().unwrap())).json().await;
    assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next"]), (Some(1), &Value::Null));
    let table = on(&db, "dead list").run().await.stdout;
    assert!(table.contains("thing") && !table.contains('\u{1b}'), "{table}");
    assert_eq!(on(&db, &format!("dead show {}", ids[0])).json().await["status"], "dead_letter");

    let one = on(&db, &format!("dead requeue {}", ids[0])).json().await;
    assert_eq!(one["done"][0]["status"], "pending");
    on(&db, &format!("dead show {}", ids[0])).fails(64, &["pending", "docket jobs show"]).await;
    assert_eq!(on(&db, &format!("dead requeue {}", ids[0])).run().await.code, 64, "it is pending now");
    assert_eq!(on(&db, "dead discard --kind nothing").json().await["done"], json!([]));
    // Nobody can be asked: standard input is no terminal.
    on(&db, "dead discard --all").fails(64, &["--yes"]).await;
    assert_eq!(db.status(ids[1]).await, Status::DeadLetter);
    assert_eq!(on(&db, "dead requeue --kind greet").json().await["done"].as_array().map(Vec::len), Some(3));
    db.bring(ids[1], Status::DeadLetter).await;
    let all = on(&db, "dead discard --all --yes").json().await;
    assert_eq!(all["done"], json!([{"id": ids[1], "epoch": all["done"][0]["epoch"], "status": "cancelled"}]));
}

#[tokio::test]
async fn courtesy_and_reparse_tell_what_the_record_holds() {
    let db = TestLedger::new().await;
    db.sql(
        "insert into cities (slug, name, zone, vendor, client) values ('a', 'A', 'UTC', 'granicus', 'a'), ('b', 'B', 'UTC', 'primegov', 'b')",
    )
    .await;
    on(&db, "cities courtesy nowhere").fails(64, &["nowhere"]).await;
    on(&db, "reparse --vendor granicus --since 1d").fails(64, &["no listing", "docket cities courtesy"]).await;
    on(&db, "reparse --vendor granicus --since 1d --city b").fails(64, &["primegov"]).await;
    db.sql(
        "insert into responses (ask, city_id, vendor, purpose, host, url, url_sha256, status, bytes, duration_ms, window_from, window_to)
         select gen_random_uuid(), id, vendor, 'listing', 'a.granicus.com', 'u', repeat('a', 64), 200, 7, 5, '2026-01-01', '2026-02-01' from cities where slug = 'a'",
    )
    .await;
    let told = on(&db, "cities courtesy a --since 1d").json().await;
    assert_eq!(json!([told["items"][0]["host"], told["items"][0]["requests"]]), json!(["a.granicus.com", 1]), "{told}");

    let text = on(&db, "cities courtesy").env("DOCKET_TLS_EXCEPTIONS", "docs.a.example=expired").run().await;
    assert!(text.stdout.contains("docs.a.example is not verified: expired"), "{}", text.stdout);

    let dry = on(&db, "reparse --vendor granicus --since 1d --dry-run").json().await;
    assert_eq!(json!([dry["cities"][0]["listings"], dry["jobs"]]), json!([1, []]), "{dry}");
    let run = on(&db, "reparse --vendor granicus --since 1d --city a").json().await;
    let id = run["jobs"][0].as_i64().unwrap();
    let job = on(&db, &format!("jobs show {id}")).json().await;
    assert!(job.to_string().contains("reparse_city"), "{job}");
}
