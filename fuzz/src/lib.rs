//! What must hold for any bytes at all, one function a target. The fuzzer calls them with what it invents, the ordinary
//! tests with the corpus (`tests/it/edges/corpus.rs`).

use docket::{
    civic::{
        model::{ParsedItem, WebUrl, items_fingerprint},
        vendor::{ParseReport, parse_file},
    },
    config::{self, CommandLine, Environment},
    fleet::job::{Envelope, MAX_BODY_BYTES, MAX_POINTERS},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// A name, and what must hold.
pub type Target = (&'static str, fn(&[u8]));

/// The targets by name; each has a folder of this name in the corpus.
pub const TARGETS: [Target; 10] = [
    ("envelope", envelope),
    ("legistar_events", legistar_events),
    ("legistar_items", legistar_items),
    ("legistar_calendar", legistar_calendar),
    ("primegov_meetings", primegov_meetings),
    ("granicus_archive", granicus_archive),
    ("civicplus_agenda_center", civicplus_agenda_center),
    ("civicclerk_events", civicclerk_events),
    ("civicclerk_items", civicclerk_items),
    ("config", config),
];

/// The body of a broker message: refused, or something that a scheduler can have written.
pub fn envelope(data: &[u8]) {
    match Envelope::decode(data) {
        Ok(envelope) => {
            assert!(data.len() <= MAX_BODY_BYTES && envelope.jobs.len() <= MAX_POINTERS);
            // A claim adds one to the epoch, in the database's integer.
            assert!(envelope.jobs.iter().all(|p| p.id().0 > 0 && p.epoch() > 0 && p.epoch().checked_add(1).is_some()));
            let again = Envelope::decode(&envelope.encode()).expect("its own encoding");
            assert_eq!(again, envelope);
        }
        Err(error) => assert!(error.to_string().len() < 500, "the reason is stored and logged"),
    }
}

/// Legistar's list of meetings.
pub fn legistar_events(data: &[u8]) {
    meetings("legistar", "events", data);
}

/// Legistar's list of agenda items.
pub fn legistar_items(data: &[u8]) {
    items("legistar", "event-items", data);
}

/// Legistar's calendar page.
pub fn legistar_calendar(data: &[u8]) {
    meetings("legistar", "calendar", data);
}

/// PrimeGov's list of meetings.
pub fn primegov_meetings(data: &[u8]) {
    meetings("primegov", "meetings", data);
}

/// Granicus' page of a view.
pub fn granicus_archive(data: &[u8]) {
    meetings("granicus", "archive", data);
}

/// CivicPlus' agenda center.
pub fn civicplus_agenda_center(data: &[u8]) {
    meetings("civicplus", "agenda-center", data);
}

/// CivicClerk's list of meetings.
pub fn civicclerk_events(data: &[u8]) {
    meetings("civicclerk", "events", data);
}

/// CivicClerk's agenda.
pub fn civicclerk_items(data: &[u8]) {
    items("civicclerk", "items", data);
}

/// A vendor's list of meetings.
fn meetings(vendor: &str, kind: &str, data: &[u8]) {
    let Some(report) = parsed(vendor, kind, data) else { return };
    let ids: BTreeSet<_> = report.meetings.iter().map(|meeting| &meeting.vendor_id).collect();
    assert_eq!(ids.len(), report.meetings.len(), "each id once");
    assert!(report.items.is_empty());
    for meeting in &report.meetings {
        for url in [&meeting.agenda_url, &meeting.minutes_url, &meeting.page_url].into_iter().flatten() {
            is_web(url.as_str());
        }
        meeting.documents.iter().filter_map(|document| document.url.as_ref()).for_each(|url| is_web(url.as_str()));
        assert!(!meeting.fingerprint().to_string().is_empty());
    }
}

/// A vendor's list of agenda items.
fn items(vendor: &str, kind: &str, data: &[u8]) {
    let Some(report) = parsed(vendor, kind, data) else { return };
    let mut items = report.items;
    let ids: BTreeSet<_> = items.iter().map(|item| item.vendor_id.clone()).collect();
    assert_eq!(ids.len(), items.len(), "each id once");
    assert!(report.meetings.is_empty());
    for ParsedItem { title, attachments, .. } in &items {
        assert!(!title.is_empty());
        attachments.iter().for_each(|attachment| is_web(attachment.url.as_str()));
    }
    let before = items_fingerprint(&items);
    items.reverse();
    assert_eq!(before, items_fingerprint(&items), "the order of rows changes nothing");
}

/// What a parser made of the bytes. Twice the same, and fit for the database and for a log line.
fn parsed(vendor: &str, kind: &str, data: &[u8]) -> Option<ParseReport> {
    let base = WebUrl::parse("https://city.example/Listing.aspx").expect("an address");
    let result = parse_file(vendor, kind, data, Some(&base));
    assert_eq!(result, parse_file(vendor, kind, data, Some(&base)), "the same bytes, the same result");
    match result {
        Ok(report) => {
            let json = serde_json::to_value(&report).expect("a report is JSON");
            printable(&json);
            assert_eq!(serde_json::from_value::<ParseReport>(json).expect("its own JSON"), report);
            Some(report)
        }
        Err(error) => {
            assert!(error.to_string().len() < 2_000, "the reason is stored and logged");
            None
        }
    }
}

/// No control characters: PostgreSQL can't store a NUL, and a terminal obeys others.
fn printable(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains(char::is_control), "{text:?}"),
        Value::Array(values) => values.iter().for_each(printable),
        Value::Object(map) => map.values().for_each(printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_web(url: &str) {
    assert!(url.starts_with("http://") || url.starts_with("https://"), "{url}");
    let authority = url.split("//").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    assert!(!authority.contains('@'), "{url}");
}

/// Stands in every secret below.
const SECRET: &str = "kept-s3cret";

/// A file, and after a NUL byte lines of variables (`NAME=value`) and of `--set` (`+key=value`): everything that is wrong
/// is told, and no secret with it.
pub fn config(data: &[u8]) {
    let Ok(input) = std::str::from_utf8(data) else { return };
    let (file, lines) = input.split_once('\0').unwrap_or((input, ""));
    if input.contains(SECRET) || file.len() > 64 << 10 {
        return;
    }
    let mut env = Environment::default();
    for (name, value) in [
        ("DATABASE_URL", format!("postgres://u:{SECRET}@h/d")),
        ("AMQP_URL", format!("amqp://u:{SECRET}@h")),
        ("DOCKET_HTTP_TOKEN", SECRET.to_owned()),
    ] {
        env.set_default(name, &value);
    }
    let mut line = CommandLine::default();
    for text in lines.lines() {
        match (text.strip_prefix('+'), text.split_once('=')) {
            (Some(set), _) => line.set.push(set.to_owned()),
            (None, Some((name, value))) => env.set_default(name, value),
            (None, None) => {}
        }
    }
    let told = match config::load_text(env, file, &line) {
        Ok(env) => {
            // What passed alone and together can be used.
            let fleet = config::fleet(&env).expect("checked");
            config::worker(&env, fleet.topology.lanes()).expect("checked");
            config::max_pending(&env).expect("checked");
            format!("{:?}", config::show(&env))
        }
        Err(problems) => {
            assert!(!problems.0.is_empty());
            assert!(problems.0.iter().all(|problem| !problem.name.is_empty() && !problem.problem.is_empty()));
            problems.to_string()
        }
    };
    assert!(!told.contains(SECRET), "{told}");
}
