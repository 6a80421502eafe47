//! Rows of JSON as vendors send them beside the usual ones: none hides another, and nothing goes unsaid.

use super::unusual::{codes, read};
use docket::civic::{
    model::{MeetingStatus, WarningCode},
    vendor::{ParseError, ParseReport, parse_file},
};
use serde_json::{Value, json};

/// An event of Legistar with these fields besides the usual ones.
fn event(id: u32, fields: &Value) -> Value {
    let mut row =
        json!({"EventId": id, "EventBodyName": "Council", "EventDate": "2026-06-09T00:00:00", "EventTime": "6:00 PM"});
    row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    row
}

fn events(rows: &[Value]) -> ParseReport {
    read("legistar", "events", &json!(rows).to_string())
}

#[test]
fn a_meeting_that_arrived_on_its_new_day_is_scheduled_and_the_one_it_left_is_not() {
    let comment = json!({"EventComment": "Rescheduled from June 9, 2026 to June 16, 2026"});
    assert_eq!(events(&[event(1, &comment)]).meetings[0].status, MeetingStatus::Rescheduled);
    let mut moved = event(1, &comment);
    moved["EventDate"] = "2026-06-16T00:00:00".into();
    assert_eq!(events(&[moved]).meetings[0].status, MeetingStatus::Scheduled);
}

#[test]
fn one_bad_character_costs_that_character() {
    for bad in ["x \\ud83d", "a\tb", "C:\\dir"] {
        let rows = format!(
            r#"[{{"EventId":1,"EventDate":"2026-06-09T00:00:00","EventBodyName":"A","EventComment":"{bad}"}},
                {{"EventId":2,"EventDate":"2026-06-09T00:00:00","EventBodyName":"B"}}]"#
        );
        let report = read("legistar", "events", &rows);
        assert_eq!((report.meetings.len(), codes(&report)), (2, vec![WarningCode::Malformed]), "{bad}");
    }
}

#[test]
fn a_list_of_which_nothing_can_be_read_is_an_error() {
    let one = |date: &str| json!([event(1, &json!({"EventDate": date}))]).to_string();
    for (vendor, kind, body) in [
        ("legistar", "events", one("6/9/2026")),
        ("legistar", "events", "[\"error\"]".to_owned()),
        ("legistar", "event-items", "[null]".to_owned()),
        ("primegov", "meetings", "[1]".to_owned()),
        ("civicclerk", "events", "[[]]".to_owned()),
        ("civicclerk", "items", r#"{"id":9,"items":[{"agendaObjectItemName":"A"}]}"#.to_owned()),
    ] {
        let error = parse_file(vendor, kind, body.as_bytes(), None).expect_err(&body);
        assert!(matches!(error, ParseError::Schema(_)), "{vendor} {kind} {body}: {error}");
    }
    // The vendor's placeholder for "no day yet" can be read.
    assert_eq!(read("legistar", "events", &one("1900-01-01T00:00:00")).meetings, []);
}

#[test]
fn of_rows_that_were_changed_together_the_stronger_status_counts_and_an_unusable_one_hides_none() {
    let at = "2026-06-01T00:00:00";
    let of = |status: &str| event(1, &json!({"EventLastModifiedUtc": at, "EventAgendaStatusName": status}));
    for rows in [[of("Final"), of("Cancelled")], [of("Cancelled"), of("Final")]] {
        assert_eq!(events(&rows).meetings[0].status, MeetingStatus::Cancelled);
    }
    let report = events(&[event(1, &json!({})), event(1, &json!({"EventDate": "TBD"}))]);
    assert_eq!(report.meetings.len(), 1, "{report:?}");
    let item = |sequence: Value| json!({"EventItemId": 1, "EventItemAgendaSequence": sequence, "EventItemTitle": "T"});
    let other = json!({"EventItemId": 2, "EventItemAgendaSequence": 2, "EventItemTitle": "U"});
    let rows = json!([item(1.into()), item(Value::Null), other]).to_string();
    assert_eq!(read("legistar", "event-items", &rows).items.len(), 2);
}

#[test]
fn an_id_that_two_meetings_share_joins_none() {
    let guid = |guid: &str| json!({"EventGuid": guid});
    let zero = guid("00000000-0000-0000-0000-000000000000");
    let report = events(&[event(1, &zero), event(2, &zero)]);
    assert!(report.meetings.iter().all(|meeting| meeting.aliases.is_empty()), "{report:?}");
    let report = events(&[event(1, &guid("A-1")), event(2, &guid("A-1"))]);
    assert_ne!(report.meetings[0].aliases, report.meetings[1].aliases);
    assert_eq!(codes(&report), [WarningCode::DuplicateId, WarningCode::DuplicateId]);
}

#[test]
fn what_a_vendor_links_nowhere_is_told() {
    let event = |fields: Value| {
        let mut row = json!({"id": 1, "eventName": "Board", "startDateTime": "2026-06-09T18:00:00Z"});
        row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        read("civicclerk", "events", &json!({"value": [row]}).to_string())
    };
    let report = event(json!({"publishedFiles": [{"type": "Notice", "name": "Notice of Cancellation"}]}));
    assert_eq!((report.meetings[0].status, codes(&report)), (MeetingStatus::Cancelled, vec![WarningCode::RefusedLink]));
    let report =
        event(json!({"publishedFiles": [{"type": "Agenda", "name": "Agenda", "url": "https://a.example/a.pdf"}]}));
    assert_eq!(report.meetings[0].documents.len(), 1);
    assert_eq!(codes(&event(json!({"publishedFiles": "x"}))), [WarningCode::Malformed]);
    assert_eq!(event(json!({"eventLocation": "City Hall"})).meetings[0].location.as_deref(), Some("City Hall"));
    let late = event(json!({"startDateTime": "1900-01-01T00:00:00Z", "eventDate": "2026-06-09T18:00:00Z"}));
    assert_eq!(late.meetings[0].local_date.to_string(), "2026-06-09");
    let files = |first: u32, second: u32| {
        let file = |id: u32| json!({"fileId": id, "type": "Agenda", "name": format!("Agenda {id}"), "sort": id});
        event(json!({"publishedFiles": [file(first), file(second)]})).content_hash
    };
    assert_eq!(files(1, 2), files(2, 1), "their own order counts, not that of the answer");

    let row = json!([{"id": 5, "dateTime": "2026-06-09T18:00:00", "title": "x",
        "documentList": [{"templateName": "Agenda"}, {"templateName": "Packet", "link": "https://a.example/a  b.pdf"}]}]);
    let report = read("primegov", "meetings", &row.to_string());
    assert_eq!(codes(&report), [WarningCode::RefusedLink]);
    let url = report.meetings[0].documents[0].url.as_ref().map(|url| url.as_str().to_owned());
    assert_eq!(url.as_deref(), Some("https://a.example/a%20%20b.pdf"), "an address is no prose");
    let rows = json!([event_with_relative_agenda()]).to_string();
    let agenda = read("legistar", "events", &rows).meetings[0].agenda_url.as_ref().map(|url| url.as_str().to_owned());
    assert_eq!(agenda.as_deref(), Some("https://city.example/View.ashx?M=A&ID=5"));
}

fn event_with_relative_agenda() -> Value {
    event(1, &json!({"EventAgendaFile": "View.ashx?M=A&ID=5"}))
}

#[test]
fn what_has_a_matter_or_a_document_structures_no_page() {
    let file = json!([{"MatterAttachmentId": 1, "MatterAttachmentName": "Report", "MatterAttachmentHyperlink": "https://a.example/1.pdf"}]);
    let rows = json!([
        {"EventItemId": 1, "EventItemAgendaSequence": 1, "EventItemTitle": "____________\r\nAN ORDINANCE on water", "EventItemMatterFile": "CB 1"},
        {"EventItemId": 2, "EventItemAgendaSequence": 2, "EventItemTitle": "", "EventItemMatterFile": "CB 2"},
        {"EventItemId": 3, "EventItemAgendaSequence": 3, "EventItemTitle": "_____", "EventItemMatterAttachments": file},
        {"EventItemId": 4, "EventItemAgendaSequence": 4, "EventItemTitle": "_________________ Mayor"},
        {"EventItemId": 5, "EventItemAgendaSequence": 5, "EventItemTitle": "Page break"},
    ]);
    let report = read("legistar", "event-items", &rows.to_string());
    let titles: Vec<&str> = report.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["AN ORDINANCE on water", "CB 2", "Report"]);
    assert_eq!(codes(&report), [WarningCode::PageChrome, WarningCode::PageChrome]);
}

#[test]
fn times_in_other_words_are_read() {
    for (text, want) in [
        ("12:00 noon", Some((12, 0))),
        ("Cancelled 6:00 PM", Some((18, 0))),
        ("9:00 - 11:00 AM", Some((9, 0))),
        ("11:00 - 1:00 PM", Some((11, 0))),
        ("2:30", None),
    ] {
        let meeting = events(&[event(1, &json!({"EventTime": text}))]).meetings.remove(0);
        assert_eq!(meeting.local_time, want.map(|(hour, minute)| jiff::civil::time(hour, minute, 0, 0)), "{text}");
    }
}

#[test]
fn the_newest_of_many_rows_counts_in_any_order() {
    let row = |n: u32| {
        let status = if n == 24 { "Cancelled" } else { "Final" };
        event(1, &json!({"EventLastModifiedUtc": format!("2026-06-01T00:{n:02}:00"), "EventAgendaStatusName": status}))
    };
    let mut rows: Vec<Value> = (0..25).map(row).collect();
    for _ in 0..2 {
        let report = events(&rows);
        assert_eq!(report.meetings[0].status, MeetingStatus::Cancelled);
        assert_eq!(codes(&report), [WarningCode::DuplicateId, WarningCode::TooManyRows]);
        rows.reverse();
    }
}
