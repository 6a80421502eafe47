//! `docket matters`.

use super::process::{Docket, docket};
use crate::support::TestLedger;
use serde_json::json;

fn on(db: &TestLedger, args: &str) -> Docket {
    docket(args).database(&db.url)
}

async fn filled() -> TestLedger {
    let db = TestLedger::new().await;
    db.sql(
        "insert into cities (slug, name, zone, vendor, client) values ('a', 'A', 'UTC', 'legistar', 'a'); \
         insert into meetings (city_id, vendor_id, body, title, local_date, zone, status, listing, list_fingerprint) \
         values (1, '1', 'B', 'Council', '2026-03-08', 'UTC', 'scheduled', '{}', repeat('a', 64)); \
         insert into agenda_items (meeting_id, vendor_id, title, matter, fingerprint) \
         select 1, n, 'Item ' || n, jsonb_build_object('file', 'A ' || n), repeat('a', 64) from generate_series(1, 3) n; \
         insert into matters (city_id, key, file, name) select 1, 'file:A' || n, 'A ' || n, 'Item ' || n from generate_series(1, 3) n; \
         insert into matter_appearances (matter_id, item_id, attachments_hash) select id, id, 'x' from matters where id < 3",
    )
    .await;
    db
}

#[tokio::test]
async fn an_audit_names_what_mends_and_that_mends_it() {
    let db = filled().await;
    let found = on(&db, "matters audit --json").run().await;
    assert_eq!(found.code, 65, "{found:?}");
    let told = found.json_line();
    assert_eq!(told["findings"], 2, "{told}");
    let findings = told["cities"][0]["findings"].as_array().unwrap();
    assert_eq!(json!([findings[0]["kind"], findings[1]["kind"]]), json!(["orphan", "untracked"]));
    assert_eq!(findings[1]["mend"], "docket matters track 3");
    on(&db, "matters audit").run().await.says(65, "2 findings");
    assert_eq!(on(&db, "matters track 3").json().await["items"][0]["matter"], 3);
    assert_eq!(on(&db, "matters audit").json().await["findings"], 0);
    assert!(on(&db, "matters audit --city a").run().await.stdout.contains("in order"));
    on(&db, "matters audit --city nowhere").fails(64, &["nowhere", "docket cities list"]).await;
}

#[tokio::test]
async fn matters_are_listed_shown_merged_and_taken_back() {
    let db = filled().await;
    let listed = on(&db, "matters list --city a --limit 2").json().await;
    assert_eq!((&listed["items"][0]["id"], &listed["next"]), (&json!(3), &json!(2)));
    assert_eq!(on(&db, "matters list --before 2").json().await["items"][0]["first_seen_on"], "2026-03-08");
    let done = on(&db, "matters merge 1 2").json().await;
    assert_eq!(done, json!({"act": 1, "matter": 1, "moved_appearances": 1}));
    let shown = on(&db, "matters show 2").json().await;
    assert_eq!(
        (&shown["id"], &shown["aliases"], &shown["acts"][0]["act"]),
        (&json!(1), &json!(["file:A2"]), &json!("merge"))
    );
    assert!(shown["acts"][0]["actor"].as_str().unwrap().starts_with("cli:"), "{shown}");
    assert!(on(&db, "matters show 1").run().await.stdout.contains("file:A2"));
    on(&db, "matters merge 3 2").fails(64, &["merged into 1"]).await;
    let split = on(&db, "matters split 1 --item 2").json().await;
    on(&db, "matters undo 1").fails(64, &["undo act 2 first"]).await;
    on(&db, &format!("matters undo {}", split["act"])).json().await;
    on(&db, "matters undo 1").json().await;
    assert_eq!(on(&db, "matters show 2").json().await["id"], 2);
    on(&db, "matters retire 1").fails(64, &["still on an agenda"]).await;
    assert_eq!(on(&db, "matters retire 3").json().await["matter"], 3);
    assert_eq!(on(&db, "matters list").json().await["items"].as_array().unwrap().len(), 2);
    on(&db, "matters show 99").fails(64, &["no matter 99"]).await;
    on(&db, "matters undo 99").fails(64, &["no act 99"]).await;
}
