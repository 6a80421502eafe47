//! What was made of the meetings, over HTTP.

use super::support::{Api, Server, is_error};
use crate::support::TestLedger;
use docket::civic::{
    document::Extraction,
    model::{
        City, CitySlug, Fingerprint, Identity, MatterRule, ParsedItem, ParsedMeeting, Source, SourceMeetingId, Vendor,
        WebUrl, Zone,
    },
    store::{
        cities, documents, extractions, found, items, matters, meetings,
        refs::{self, NewRef},
        revisions::{self, Content},
        summaries::{self, NewSummary, Subject},
    },
};
use jiff::civil::date;
use serde_json::{Value, json};
use std::time::Duration;

/// The ids of what [`fill`] made.
struct Made {
    meeting: i64,
    item: i64,
    matter: i64,
    sha256: String,
}

/// A city with three meetings. The first has an item with a document, a summary and a matter.
async fn fill(db: &TestLedger) -> Made {
    let client = &db.client;
    let source = Source { vendor: Vendor::Legistar, client: "alder".into(), params: [].into() };
    let zone = Zone::new("America/Denver").unwrap();
    let city = City { slug: CitySlug::from("alder-falls"), name: "Alder Falls".into(), zone, source };
    let id = cities::add(client, &city).await.unwrap();
    let meeting = |n: i8| ParsedMeeting {
        location: Some("Hall".into()),
        ..ParsedMeeting::new(SourceMeetingId(n.to_string()), format!("Council {n}"), date(2026, 3, n))
    };
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(meetings::upsert(client, id, &city.zone, &meeting(n)).await.unwrap().id);
    }
    let item: ParsedItem = serde_json::from_value(json!({
        "vendor_id": "9", "sequence": 1, "number": "1.", "title": "Lease of the old ferry terminal", "matter": null,
        "attachments": [], "note": null, "action": null, "consent": false,
    }))
    .unwrap();
    let content = Content { meeting: meeting(1), items: vec![item] };
    revisions::append(client, ids[0], &content).await.unwrap();
    let item = items::replace(client, ids[0], &content.items).await.unwrap()[0];
    let url = WebUrl::parse("https://city.example/report.pdf").unwrap();
    let refs = refs::replace(client, ids[0], &[NewRef::new(Some(item), "Report", &url)]).await.unwrap();
    let sha256 = Fingerprint::of_bytes(b"bytes");
    documents::put(client, &sha256, "pdf", b"bytes").await.unwrap();
    found::fetched(client, refs[0].id, &sha256, (None, None)).await.unwrap();
    let text = "Barnacles were found on the pilings.".to_owned();
    let extraction = Extraction { chars: 31, text, extractor: "e/1".into(), ..Extraction::default() };
    extractions::put(client, &sha256, &extraction).await.unwrap();
    let summary = NewSummary {
        input_hash: sha256.clone(),
        model: "small".into(),
        prompt_version: "p",
        body: "The dredging permit is extended.".into(),
        tokens_in: 1,
        tokens_out: 1,
        cost_micro_usd: 0,
        reasons: Vec::new(),
        pages: Vec::new(),
    };
    let summary = summaries::put(client, Subject::Item(item), &summary).await.unwrap().unwrap();
    items::set_summary(client, item, summary).await.unwrap();
    let identity = Identity { key: "file:CB1".into(), rule: MatterRule::File };
    let matter = matters::track(client, id, (item, "Lease of the old ferry terminal"), (&identity, None), &sha256)
        .await
        .unwrap();
    let change = "insert into meeting_changes (city_id, meeting_id, kinds, detail) select city_id, id, '{status_changed}', \
                  '{\"changes\": [], \"more\": 0}' from meetings";
    client.execute(change, &[]).await.unwrap();
    Made { meeting: ids[0].0, item: item.0, matter: matter.0, sha256: sha256.as_str().to_owned() }
}

async fn ids(api: &Api, path: &str) -> Vec<i64> {
    let (status, page) = api.get(path).await;
    assert_eq!(status.as_u16(), 200, "{path} {page}");
    page["items"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_meeting_its_item_its_document_and_its_matter_lead_to_each_other() {
    let db = TestLedger::new().await;
    let made = fill(&db).await;
    let api = Server::on(&db.config).start().await;
    let (_, meeting) = api.get(&format!("/api/meetings/{}", made.meeting)).await;
    assert_eq!(
        (&meeting["city"], &meeting["date"], &meeting["revision"]["number"]),
        (&json!("alder-falls"), &json!("2026-03-01"), &json!(1))
    );
    let item = &meeting["items"][0];
    assert_eq!((&item["id"], &item["matter_id"]), (&json!(made.item), &json!(made.matter)));
    assert_eq!(item["summary"]["body"], "The dredging permit is extended.");
    assert_eq!(item["documents"][0]["sha256"], made.sha256);
    let (_, alone) = api.get(&format!("/api/items/{}", made.item)).await;
    assert_eq!((&alone["meeting_id"], &alone["documents"]), (&json!(made.meeting), &item["documents"]));
    let (_, matter) = api.get(&format!("/api/matters/{}", made.matter)).await;
    assert_eq!(
        (&matter["appearances"][0]["item_id"], &matter["appearances"][0]["rule"]),
        (&json!(made.item), &json!("file"))
    );
    assert_eq!(matter["summary"]["body"], item["summary"]["body"]);
    let (_, document) = api.get(&format!("/api/documents/{}", made.sha256)).await;
    assert_eq!(
        (&document["bytes"], &document["text"], &document["text_cut"]),
        (&json!(5), &Value::Null, &json!(false))
    );
    assert_eq!(document["places"][0]["item_id"], json!(made.item));
    let (_, document) = api.get(&format!("/api/documents/{}?text=true", made.sha256)).await;
    assert_eq!(document["text"], "Barnacles were found on the pilings.");
    let (_, city) = api.get("/api/cities/alder-falls").await;
    assert_eq!((&city["meetings"], &city["matters"]), (&json!(3), &json!(1)));
    assert_eq!(api.get("/api/cities").await.1["items"][0]["slug"], "alder-falls");
}

#[tokio::test]
async fn meetings_are_found_by_the_words_of_their_titles_items_and_summaries() {
    let db = TestLedger::new().await;
    let made = fill(&db).await;
    let api = Server::on(&db.config).start().await;
    for q in
        ["ferry", "\"ferry+terminal\"", "FERRIES", "dredging", "lease+-zoning", "ferry+or+zoning", "permits+extended"]
    {
        assert_eq!(ids(&api, &format!("/api/meetings?q={q}")).await, [made.meeting], "{q}");
    }
    assert_eq!(ids(&api, "/api/meetings?q=council").await.len(), 3);
    for q in ["zoning", "ferry+zoning", "barnacles", "lease+-ferry", "the"] {
        assert_eq!(ids(&api, &format!("/api/meetings?q={q}")).await, [0_i64; 0], "{q}");
    }
    // The same by the other way, which words that stand on every agenda take.
    let many = "insert into agenda_items (meeting_id, vendor_id, title, fingerprint) select m.id, 'i' || k, 'Wharf repair', repeat('a', 64) \
                from meetings m, generate_series(1, 7000) k";
    db.sql(many).await;
    assert_eq!(ids(&api, "/api/meetings?q=wharf").await.len(), 3);
    assert_eq!(ids(&api, "/api/meetings?q=wharf+or+ferry&limit=2").await.len(), 2);
    assert_eq!(ids(&api, "/api/meetings?q=wharf&from=2026-03-02").await.len(), 2);
    // What the agenda has dropped is not found, nor is an old summary.
    db.sql("update agenda_items set listed = false").await;
    assert_eq!(ids(&api, "/api/meetings?q=ferry").await, [0_i64; 0]);
    db.sql("update agenda_items set summary_id = null").await;
    assert_eq!(ids(&api, "/api/meetings?q=dredging").await, [0_i64; 0]);
    assert_eq!(ids(&api, "/api/matters?q=ferry").await, [made.matter]);
    assert_eq!(ids(&api, "/api/matters?q=zoning").await, [0_i64; 0]);
}

#[tokio::test]
async fn lists_are_filtered_and_paged_without_gaps_or_repetitions() {
    let db = TestLedger::new().await;
    fill(&db).await;
    let api = Server::on(&db.config).start().await;
    for path in ["/api/meetings?city=alder-falls&", "/api/changes?since=2020-01-01T00:00:00Z&"] {
        let (all, mut seen, mut next) = (ids(&api, path).await, Vec::new(), String::new());
        assert_eq!(all.len(), 3, "{path}");
        for _ in 0..3 {
            let (_, page) = api.get(&format!("{path}limit=1{next}")).await;
            seen.push(page["items"][0]["id"].as_i64().unwrap());
            next = page["next"].as_str().map(|next| format!("&before={next}")).unwrap_or_default();
        }
        assert_eq!((seen, next.as_str()), (all, ""), "{path}");
    }
    for (query, many) in [
        ("from=2026-03-02", 2),
        ("to=2026-03-02", 2),
        ("from=2026-03-02&to=2026-03-02", 1),
        ("from=2026-03-03&to=2026-03-01", 0),
        ("status=scheduled", 3),
        ("status=cancelled", 0),
    ] {
        assert_eq!(ids(&api, &format!("/api/meetings?{query}")).await.len(), many, "{query}");
    }
    assert_eq!(ids(&api, "/api/changes?since=2100-01-01T00:00:00Z").await, [0_i64; 0]);
    assert_eq!(api.get("/api/changes").await.1["items"][0]["kinds"], json!(["status_changed"]));
}

#[tokio::test]
async fn hostile_queries_are_refused_with_what_is_allowed_and_break_nothing() {
    let db = TestLedger::new().await;
    let made = fill(&db).await;
    let api = Server::on(&db.config).start().await;
    let (long, digest) = ("a".repeat(10_000), "0".repeat(64));
    for bad in [
        "/api/meetings?limit=1000000000".to_owned(),
        "/api/meetings?limit=0".to_owned(),
        "/api/meetings?limit=x".to_owned(),
        "/api/meetings?before=yesterday".to_owned(),
        "/api/meetings?before=2026-03-08_".to_owned(),
        "/api/meetings?from=08/03/2026".to_owned(),
        "/api/meetings?status=lost".to_owned(),
        "/api/meetings?status=Cancelled".to_owned(),
        "/api/meetings?city=nowhere".to_owned(),
        "/api/meetings?city=%00".to_owned(),
        "/api/meetings?q=%00".to_owned(),
        "/api/meetings?q=".to_owned(),
        "/api/meetings?q=%22".to_owned(),
        format!("/api/meetings?q={long}"),
        format!("/api/meetings?before={long}"),
        "/api/meetings?nonsense=1".to_owned(),
        "/api/meetings?q=a&q=b".to_owned(),
        "/api/meetings/x".to_owned(),
        "/api/items/99999999999999999999".to_owned(),
        "/api/documents/x".to_owned(),
        format!("/api/documents/{}", "A".repeat(64)),
        "/api/documents/%00".to_owned(),
        format!("/api/documents/{digest}?text=maybe"),
        "/api/matters?city=nowhere".to_owned(),
        "/api/matters?before=x".to_owned(),
        "/api/matters/x".to_owned(),
        "/api/changes?since=yesterday".to_owned(),
        "/api/changes?before=2026-03-08_1".to_owned(),
        "/api/cities/%00".to_owned(),
        "/api/cities/%ff".to_owned(),
        "/api/documents/%ff".to_owned(),
        format!("/api/cities/{long}"),
    ] {
        let answer = api.get(&bad).await;
        is_error(&answer, 400, "bad_request");
        assert!(answer.1.to_string().len() < 2_000, "{bad} is not echoed whole");
    }
    let known = api.get("/api/meetings?status=lost").await.1["error"]["message"].to_string();
    assert!(known.contains("withdrawn") && known.contains("held"), "{known}");
    for gone in ["/api/meetings/0", "/api/items/-1", "/api/matters/9223372036854775807", "/api/cities/nowhere"] {
        is_error(&api.get(gone).await, 404, "not_found");
    }
    is_error(&api.get(&format!("/api/documents/{digest}")).await, 404, "not_found");
    for odd in ["'%20or%201=1%20--", "%22unclosed%20phrase", "-x", "a%20%26%20!b%20|%20(", "%F0%9F%A6%80a", "ferry%3A*"]
    {
        let (status, page) = api.get(&format!("/api/meetings?q={odd}")).await;
        assert_eq!(status.as_u16(), 200, "{odd} {page}");
    }
    assert_eq!(ids(&api, "/api/meetings").await.len(), 3);
    assert!(made.matter > 0);
}

/// By what PostgreSQL counts; without the index it must count more, or it counts nothing.
#[tokio::test]
async fn no_list_and_no_search_reads_a_whole_table() {
    let db = TestLedger::new().await;
    fill(&db).await;
    db.sql(
        "insert into meetings (city_id, vendor_id, body, title, local_date, zone, status, listing, list_fingerprint) \
         select 1, 'x' || n, 'Board', 'Meeting ' || n, date '2000-01-01' + n % 9000, 'UTC', 'scheduled', jsonb_build_object('x', repeat('y', 1500)), repeat('a', 64) \
         from generate_series(1, 20000) n; \
         insert into agenda_items (meeting_id, vendor_id, title, fingerprint) \
         select m.id, 'i' || k, 'Word' || m.id || ' matter' || k, repeat('a', 64) from meetings m, generate_series(1, 2) k; \
         insert into matters (city_id, key, name) select 1, 'file:' || n, 'Name ' || n from generate_series(1, 20000) n; \
         insert into matter_appearances (matter_id, item_id, attachments_hash) \
         select id, id, 'x' from matters where id in (select id from agenda_items) on conflict do nothing; \
         insert into meeting_changes (city_id, meeting_id, kinds, detail, at) \
         select 1, id, '{item_added}', '{\"changes\":[],\"more\":0}', timestamptz '2020-01-01' + id * interval '1 minute' from meetings; \
         analyze",
    )
    .await;
    let paths = [
        "/api/meetings",
        "/api/meetings?city=alder-falls&from=2010-01-01&to=2010-02-01",
        "/api/meetings?q=word77",
        // On every agenda: it is looked for from the latest meeting on.
        "/api/meetings?q=matter1",
        "/api/meetings?q=matter1&city=alder-falls&to=2010-01-01",
        "/api/meetings/77",
        "/api/items/77",
        "/api/matters",
        "/api/matters?q=777",
        "/api/matters/77",
        "/api/changes",
        "/api/changes?city=alder-falls&since=2020-01-05T00:00:00Z&limit=5",
    ];
    let read = sequentially(&db, &paths).await;
    assert!(read < 5_000, "{read} rows by sequential scans of {paths:?}");
    db.sql("drop index agenda_items_words, meeting_changes_at").await;
    for path in ["/api/meetings?q=word77", "/api/changes"] {
        assert!(sequentially(&db, &[path]).await >= 20_000, "{path} is not told");
    }
}

/// Rows of large tables that sequential scans read for these requests.
async fn sequentially(db: &TestLedger, paths: &[&str]) -> i64 {
    let reads = async || {
        let sql = "select coalesce(sum(seq_tup_read), 0)::int8 from pg_stat_user_tables where schemaname = current_schema() \
                   and relname in ('meetings', 'agenda_items', 'matters', 'matter_appearances', 'meeting_changes', 'summaries')";
        // A session tells what it has read once a second, when it is idle.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        db.sql("select pg_stat_clear_snapshot()").await;
        db.number(sql).await
    };
    let api = Server::on(&db.config).start().await;
    let before = reads().await;
    for path in paths {
        let (status, answer) = api.get(path).await;
        assert_eq!(status.as_u16(), 200, "{path} {answer}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(api.get("/api/cities").await.0.as_u16(), 200);
    reads().await - before
}
