//! The parser against rows that nobody thought of: no input breaks it, and the order of the rows decides nothing.

use docket::civic::{
    model::items_fingerprint,
    vendor::{ParseReport, parse_file},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const EVENT: &[&str] = &[
    "EventId",
    "EventDate",
    "EventTime",
    "EventBodyName",
    "EventAgendaStatusName",
    "EventLocation",
    "EventComment",
    "EventAgendaFile",
    "EventLastModifiedUtc",
];
const ITEM: &[&str] = &[
    "EventItemId",
    "EventItemTitle",
    "EventItemAgendaSequence",
    "EventItemMinutesSequence",
    "EventItemAgendaNumber",
    "EventItemMatterId",
    "EventItemMatterFile",
    "EventItemMatterAttachments",
    "EventItemConsent",
];

/// What a field may hold: sense and nonsense, few enough that ids and sequences meet.
fn value() -> impl Strategy<Value = Value> {
    let attachment = json!({"MatterAttachmentId": 1, "MatterAttachmentHyperlink": "https://city.example/a.pdf"});
    let fixed = vec![
        Value::Null,
        json!(1),
        json!("1"),
        json!(-7),
        json!(1e300),
        json!(true),
        json!(""),
        json!("2024-01-09T00:00:00"),
        json!("0001-01-01"),
        json!("2:30 PM"),
        json!("Cancelled"),
        json!("<p>Call&nbsp;to\r\norder</p>"),
        json!("____"),
        json!("https://city.example/a.pdf"),
        json!("javascript:alert(1)"),
        json!("a.pdf"),
        json!([attachment.clone(), attachment, 3]),
        json!({"a": [1]}),
    ];
    prop_oneof![4 => select(fixed), 1 => "(?s).{0,30}".prop_map(Value::from), 1 => (0..5i64).prop_map(Value::from)]
}

fn rows(fields: &'static [&'static str]) -> impl Strategy<Value = Vec<Value>> {
    let row = vec((select(fields), value()), 0..12)
        .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>()));
    vec(prop_oneof![9 => row, 1 => value()], 0..12)
}

fn parse(kind: &str, rows: &[Value]) -> Option<ParseReport> {
    parse_file("legistar", kind, &serde_json::to_vec(rows).unwrap(), None).ok()
}

/// A list and the same list in another order.
fn shuffled(fields: &'static [&'static str]) -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    rows(fields).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

proptest! {
    #[test]
    fn no_bytes_break_it(bytes in vec(any::<u8>(), 0..300)) {
        for kind in ["events", "event-items"] {
            let _ = parse_file("legistar", kind, &bytes, None);
        }
    }

    #[test]
    fn meetings_do_not_depend_on_the_order_of_the_rows((rows, other) in shuffled(EVENT)) {
        let (report, other) = (parse("events", &rows), parse("events", &other));
        prop_assert_eq!(&report, &other);
        let meetings = report.unwrap_or_default().meetings;
        let ids: BTreeSet<_> = meetings.iter().map(|meeting| &meeting.vendor_id).collect();
        prop_assert_eq!(ids.len(), meetings.len(), "each id once");
        let fingerprints = |report: ParseReport| report.meetings.iter().map(|m| m.fingerprint()).collect::<Vec<_>>();
        prop_assert_eq!(
            meetings.iter().map(|m| m.fingerprint()).collect::<Vec<_>>(),
            fingerprints(other.unwrap_or_default())
        );
    }

    #[test]
    fn an_agenda_does_not_depend_on_the_order_of_the_rows((rows, other) in shuffled(ITEM)) {
        let (report, other) = (parse("event-items", &rows), parse("event-items", &other));
        prop_assert_eq!(&report, &other);
        let mut items = report.unwrap_or_default().items;
        let ids: BTreeSet<_> = items.iter().map(|item| item.vendor_id.clone()).collect();
        prop_assert_eq!(ids.len(), items.len(), "each id once");
        for item in &items {
            prop_assert!(!item.title.is_empty());
            prop_assert!(item.attachments.iter().all(|a| a.url.as_str().starts_with("https://city.example/")));
        }
        let before = items_fingerprint(&items);
        items.reverse();
        prop_assert_eq!(before, items_fingerprint(&items));
    }

    #[test]
    fn each_row_is_kept_or_told_of(rows in rows(ITEM)) {
        if let Some(report) = parse("event-items", &rows) {
            prop_assert!(report.items.len() + report.warnings.len() >= rows.len());
        }
    }
}
