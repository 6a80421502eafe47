//! Recorded answers, and their made-up twins.

use crate::fixtures::{made, recordings};
use docket::civic::{
    model::{MeetingStatus, WarningCode},
    vendor::{ParseError, ParseReport, parse_file},
};
use serde_json::Value;

fn recorded(file: &str, kind: &str) -> Option<Result<ParseReport, ParseError>> {
    let path = recordings()?.join("legistar").join(file);
    Some(parse_file("legistar", kind, &std::fs::read(path).unwrap(), None))
}

fn codes(report: &ParseReport) -> Vec<(WarningCode, Option<&str>)> {
    report.warnings.iter().map(|warning| (warning.code, warning.vendor_id.as_deref())).collect()
}

// ---------------------------------------------------------------------------------------------------- recordings

#[test]
fn the_recorded_list_has_three_meetings() {
    let Some(report) = recorded("legistar_events_list.json", "events") else { return };
    let report = report.unwrap();
    let found: Vec<_> = report.meetings.iter().map(|m| (m.vendor_id.as_str(), m.local_date.to_string())).collect();
    let date = |day: &str| format!("2024-01-{day}");
    assert_eq!(found, [("5696", date("02")), ("5699", date("08")), ("5705", date("09"))]);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn the_recorded_event_is_one_meeting() {
    let Some(report) = recorded("legistar_event_5705.json", "events") else { return };
    let report = report.unwrap();
    assert_eq!(report.meetings.len(), 1);
    let meeting = &report.meetings[0];
    assert!(meeting.agenda_url.as_ref().is_some_and(|url| url.as_str().ends_with("Agenda.pdf")));
    assert!(meeting.page_url.is_some() && meeting.local_time.is_none());
    assert_eq!(codes(&report), [(WarningCode::SingleObject, None)]);
}

#[test]
fn the_recorded_items_keep_attachments_and_drop_blank_titles() {
    let Some(report) = recorded("legistar_event_items_5705.json", "event-items") else { return };
    let report = report.unwrap();
    let path = recordings().unwrap().join("legistar/legistar_event_items_5705.json");
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let blank = rows.iter().filter(|row| row["EventItemTitle"].as_str().is_none_or(|t| t.trim().is_empty())).count();
    let dropped = report.warnings.iter().filter(|warning| warning.code == WarningCode::BlankTitle).count();
    assert!(blank > 0 && dropped == blank, "{dropped} of {blank}");
    let left_out = [WarningCode::BlankTitle, WarningCode::PageChrome, WarningCode::NotOnAgenda];
    let left_out = report.warnings.iter().filter(|warning| left_out.contains(&warning.code)).count();
    assert_eq!(report.items.len() + left_out, rows.len(), "each row is an item or a warning");
    let attached = |rows: &Value| rows["EventItemMatterAttachments"].as_array().map_or(0, Vec::len);
    let promised: usize = rows.iter().map(attached).sum();
    assert!(promised > 0);
    assert_eq!(report.items.iter().map(|item| item.attachments.len()).sum::<usize>(), promised);
}

#[test]
fn recordings_of_another_kind_are_errors_and_never_an_empty_success() {
    for (file, is_page) in [
        ("chicago_dupe_event.json", false),
        ("chicago_no_dupe_event.json", false),
        ("metro_all_indexes.json", false),
        ("metro_matter_index.json", false),
        ("metro_events.html", true),
        ("nyc_events.html", true),
    ] {
        for (kind, id) in [("events", "EventId"), ("event-items", "EventItemId")] {
            let Some(report) = recorded(file, kind) else { return };
            let expected = if is_page { ParseError::Html } else { ParseError::Schema(id) };
            assert_eq!(report, Err(expected), "{file} as {kind}");
        }
    }
    let swapped = [("legistar_events_list.json", "event-items"), ("legistar_event_items_5705.json", "events")];
    for (file, kind) in swapped {
        let Some(report) = recorded(file, kind) else { return };
        assert!(matches!(report, Err(ParseError::Schema(_))), "{file} as {kind}: {report:?}");
    }
}

// ------------------------------------------------------------------------------------------------------ their twins

#[test]
fn every_fault_of_a_meeting_is_a_warning() {
    let report = parse_file("legistar", "events", &made("legistar/events.json"), None).unwrap();
    let ids: Vec<_> = report.meetings.iter().map(|m| m.vendor_id.as_str()).collect();
    assert_eq!(ids, ["11", "12", "13", "16"]);
    let [council, parks, planning, budget] = &report.meetings[..] else { panic!("{ids:?}") };
    assert_eq!((council.body_name.as_str(), council.location.as_deref()), ("City Council", Some("Hall A")));
    assert_eq!(council.local_time, Some("19:00".parse().unwrap()), "the newer row is kept");
    assert_eq!(parks.status, MeetingStatus::Cancelled);
    assert_eq!((planning.local_time, planning.time_text.as_deref()), (None, Some("TBD")));
    assert_eq!(budget.local_time, Some("09:30".parse().unwrap()));
    assert!(budget.agenda_url.is_none() && budget.page_url.is_none());
    let mut expected = vec![
        (WarningCode::Malformed, None),
        (WarningCode::MissingId, None),
        (WarningCode::MissingDate, Some("15")),
        (WarningCode::ImplausibleDate, Some("14")),
        (WarningCode::UnreadableTime, Some("13")),
        (WarningCode::TimeWithExtraText, Some("16")),
        (WarningCode::DuplicateId, Some("11")),
        (WarningCode::RefusedLink, Some("16")),
        (WarningCode::RelativeLink, Some("16")),
    ];
    expected.sort();
    assert_eq!(codes(&report), expected);
}

#[test]
fn every_fault_of_an_item_is_a_warning() {
    let report = parse_file("legistar", "event-items", &made("legistar/event_items.json"), None).unwrap();
    let titles: Vec<_> = report.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["CALL TO ORDER", "Lease of the old library", "First of two", "Second of two"]);
    let lease = &report.items[1];
    assert!(lease.consent && lease.number.as_deref() == Some("2."));
    assert_eq!(lease.matter.as_ref().and_then(|m| m.file.as_deref()), Some("CB 1"));
    let attached: Vec<_> = lease.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
    assert_eq!(attached, ["Lease", "Map"]);
    let mut expected = vec![
        (WarningCode::BlankTitle, Some("102")),
        (WarningCode::PageChrome, Some("103")),
        (WarningCode::PageChrome, Some("105")),
        (WarningCode::NotOnAgenda, Some("106")),
        (WarningCode::RepeatedSequence, Some("107")),
        (WarningCode::RepeatedSequence, Some("108")),
        (WarningCode::RefusedLink, Some("104")),
        (WarningCode::RelativeLink, Some("104")),
    ];
    expected.sort();
    assert_eq!(codes(&report), expected);
}

#[test]
fn a_single_object_is_a_list_of_one() {
    let report = parse_file("legistar", "events", &made("legistar/event.json"), None).unwrap();
    assert_eq!((report.meetings.len(), codes(&report)), (1, vec![(WarningCode::SingleObject, None)]));
}

#[test]
fn lists_of_another_kind_are_errors() {
    for file in ["matter_histories.json", "indexes.json"] {
        for kind in ["events", "event-items"] {
            let report = parse_file("legistar", kind, &made(&format!("legistar/{file}")), None);
            assert!(matches!(report, Err(ParseError::Schema(_))), "{file} as {kind}: {report:?}");
        }
    }
    assert_eq!(parse_file("legistar", "events", &made("legistar/error_page.html"), None), Err(ParseError::Html));
    let one = parse_file("legistar", "events", b"{\"IndexId\": 1}", None);
    assert!(matches!(one, Err(ParseError::Shape(_))), "{one:?}");
    let strangers = parse_file("legistar", "events", b"[1, \"two\", null]", None);
    assert!(matches!(strangers, Err(ParseError::Schema(_))), "no row is an object: {strangers:?}");
}

#[test]
fn the_order_of_the_rows_changes_nothing() {
    for (file, kind) in [("events.json", "events"), ("event_items.json", "event-items")] {
        let bytes = made(&format!("legistar/{file}"));
        let mut rows: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        rows.reverse();
        let reversed = serde_json::to_vec(&rows).unwrap();
        assert_eq!(parse_file("legistar", kind, &bytes, None), parse_file("legistar", kind, &reversed, None), "{file}");
    }
}
