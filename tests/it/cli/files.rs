//! Commands that need no server: definitions, answers of vendors, documents.

use super::process::{docket, docket_args};
use serde_json::{Value, json};
use std::fmt::Write as _;

#[tokio::test]
async fn the_topology_follows_the_lanes() {
    let names = |definitions: &Value| -> Vec<String> {
        let queues = definitions["queues"].as_array().unwrap();
        queues.iter().map(|queue| queue["name"].as_str().unwrap().to_owned()).collect()
    };
    let slow = docket("topology export --vhost v").env("DOCKET_LANES", "slow").json().await;
    assert_eq!(names(&slow), ["docket.dead", "docket.slow.high", "docket.slow.normal", "docket.slow.low"]);
    assert_eq!(slow["vhosts"], json!([{"name": "v"}]));
    let pretty = docket("topology export").run().await;
    let definitions: Value = serde_json::from_str(&pretty.stdout).unwrap();
    assert_eq!((pretty.code, &definitions["vhosts"][0]["name"]), (0, &json!("/")));
    docket("topology export").env("DOCKET_LANES", "a b").fails(64, &["DOCKET_LANES"]).await;
    docket_args(&["topology", "export", "--vhost", ""]).fails(64, &["--vhost"]).await;
}

#[tokio::test]
async fn recorded_answers_are_parsed() {
    let parse = |kind: &str| docket(&format!("vendors parse legistar {kind} -"));
    let empty = parse("events").stdin(b"[]").json().await;
    assert_eq!(json!([empty["meetings"], empty["items"], empty["warnings"]]), json!([[], [], []]));
    assert_eq!(empty["content_hash"].as_str().map(str::len), Some(64), "{empty}");
    let event = json!([{"EventId": 1, "EventBodyName": "City Council", "EventDate": "2026-03-02T00:00:00",
                        "EventTime": "2:00 PM", "EventLastModifiedUtc": "2026-03-01T00:00:00"}]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.json");
    std::fs::write(&file, event.to_string()).unwrap();
    let parsed = docket_args(&["vendors", "parse", "legistar", "events", file.to_str().unwrap()]).json().await;
    assert_eq!(parsed["meetings"].as_array().map(Vec::len), Some(1), "{parsed}");

    let relative = json!([{"id": 1, "dateTime": "2026-03-02T18:00:00", "title": "Council",
                           "documentList": [{"templateId": 4, "compileOutputType": 1, "templateName": "Agenda"}]}]);
    let meeting = async |args: &str| {
        let answer =
            docket(&format!("vendors parse primegov meetings - {args}")).stdin(relative.to_string().as_bytes());
        answer.json().await["meetings"][0].take()
    };
    assert_eq!(meeting("").await["agenda_url"], Value::Null);
    let based = meeting("--base-url https://x.primegov.com/").await;
    assert!(
        based["agenda_url"].as_str().is_some_and(|url| url.starts_with("https://x.primegov.com/Public/")),
        "{based}"
    );

    parse("votes").stdin(b"[]").fails(64, &["votes", "event-items"]).await;
    docket("vendors parse paper events -").stdin(b"[]").fails(64, &["paper", "legistar"]).await;
    parse("events").stdin(b"").fails(64, &["empty"]).await;
    parse("events").stdin(b"<!doctype html><html></html>").fails(64, &["HTML"]).await;
    parse("events").stdin(b"\xff\xfe\x00").fails(64, &["not JSON"]).await;
    docket("vendors parse legistar events /nowhere").fails(64, &["/nowhere"]).await;
    docket("vendors parse legistar events /").fails(64, &["can't read /"]).await;
}

#[tokio::test]
async fn documents_are_read_and_bad_ones_flagged() {
    let dir = tempfile::tempdir().unwrap();
    let extract = async |name: &str, bytes: &[u8]| {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        docket_args(&["documents", "extract", file.to_str().unwrap()]).json().await
    };
    let text = "The council will consider the budget of the department of parks.";
    let good = extract("good.pdf", &pdf(text)).await;
    assert_eq!((&good["pages"], &good["flags"]), (&json!(1), &json!([])), "{good}");
    assert!(good["text"].as_str().unwrap().contains("department of parks"), "{good}");
    assert_eq!(extract("empty.pdf", b"").await["flags"], json!(["empty"]));
    assert_eq!(extract("page.pdf", b"<html>").await["flags"], json!(["no_text"]));
    for (name, bytes, kind) in [
        ("letter.pdf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), "ole2"),
        ("notes.pdf", b"{\\rtf1 notes}", "rtf"),
        ("slides.pdf", b"PK\x03\x04 ppt/presentation.xml", "pptx"),
    ] {
        let found = extract(name, bytes).await;
        assert_eq!((&found["kind"], &found["flags"]), (&json!(kind), &json!(["unsupported"])), "{name}");
    }
    assert_eq!(docket("documents extract -").stdin(&pdf(text)).json().await, good);
    docket("documents extract /nowhere.pdf").fails(64, &["/nowhere.pdf"]).await;
    docket("documents extract /").fails(64, &["not a regular file"]).await;
}

/// One page with one line.
fn pdf(text: &str) -> Vec<u8> {
    let line = format!("BT /F 12 Tf 72 700 Td ({text}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{line}\nendstream", line.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let (mut file, mut table) =
        ("%PDF-1.4\n".to_owned(), format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for (n, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).unwrap();
        writeln!(file, "{} 0 obj{object}endobj", n + 1).unwrap();
    }
    let (start, size) = (file.len(), objects.len() + 1);
    write!(file, "{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").unwrap();
    file.into_bytes()
}

#[tokio::test]
async fn the_items_of_an_agenda_are_shown_and_what_is_none_ends_with_1() {
    let agenda = "City of Exampleville\nCITY COUNCIL AGENDA, Tuesday, May 5, 2026\n\n1. Call to Order\n2. Consent Agenda\n\
                  \x20  2.A Resolution No. 2026-15 on the lease\n3. Adjournment\n";
    let found = docket("agendas segment -").stdin(agenda.as_bytes()).json().await;
    assert_eq!(found["method"], "numbering");
    assert_eq!(found["items"][1]["number"], "2.A");
    assert_eq!(found["items"][1]["section"], "Consent Agenda");
    assert_eq!(found["items"][1]["consent"], true);
    assert_eq!(found["ids"].as_array().map(Vec::len), Some(3));
    let table = docket("agendas segment -").stdin(agenda.as_bytes()).run().await;
    assert!(table.code == 0 && table.stdout.contains("Resolution No. 2026-15"), "{table:?}");
    docket("agendas segment -")
        .stdin(b"The meeting is cancelled.")
        .fails(1, &["no items", "docket documents extract"])
        .await;
    let suspect = docket("agendas segment - --json").stdin(b"The meeting is cancelled.").run().await;
    assert!(suspect.stdout.contains("\"suspect\":\"no items were found\""), "{suspect:?}");
    docket("agendas segment /nowhere.pdf").fails(64, &["/nowhere.pdf"]).await;
}
