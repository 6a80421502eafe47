//! Layouts that vendors' pages come in, with made-up rows: what a reader sees in them is what is read.

use docket::civic::{
    model::{DocumentRole, EvidenceSource, MeetingStatus, ParsedMeeting, WarningCode, WebUrl},
    vendor::{ParseError, ParseReport, parse_file},
};
use serde_json::json;

fn archive(rows: &str) -> Result<ParseReport, ParseError> {
    let page = format!("<html><body><div id='granicus'><table>{rows}</table></div></body></html>");
    parse_file("granicus", "archive", page.as_bytes(), None)
}

#[test]
fn an_item_without_a_title_has_that_of_its_matter() {
    let rows = json!([
        {"EventItemId": 1, "EventItemTitle": null, "EventItemMatterName": "Lease of the pier", "EventItemAgendaSequence": 1},
        {"EventItemId": 2, "EventItemTitle": "", "EventItemMatterName": "", "EventItemAgendaSequence": 2}
    ]);
    let report = parse_file("legistar", "event-items", rows.to_string().as_bytes(), None).unwrap();
    let titles: Vec<&str> = report.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["Lease of the pier"]);
    assert_eq!(report.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), [WarningCode::BlankTitle]);
}

/// Its id, day, start and title.
fn told(meeting: &ParsedMeeting) -> String {
    let time = meeting.local_time.map(|time| format!(" {}", time.strftime("%H:%M"))).unwrap_or_default();
    format!("{} {}{time} {}", meeting.vendor_id.as_str(), meeting.local_date, meeting.title)
}

fn all(report: &ParseReport) -> Vec<String> {
    report.meetings.iter().map(told).collect()
}

fn links(meeting: &ParsedMeeting) -> Vec<(DocumentRole, &str, &str)> {
    let url = |url: &Option<WebUrl>| url.as_ref().map(|url| url.as_str().to_owned());
    assert!(meeting.documents.iter().all(|document| url(&document.url).is_some()), "{:?}", meeting.documents);
    meeting
        .documents
        .iter()
        .map(|document| (document.role, document.name.as_str(), document.url.as_ref().unwrap().as_str()))
        .collect()
}

#[test]
fn a_year_of_two_digits_in_a_players_link_is_the_day_of_the_meeting() {
    let report = archive(
        "<tr class='odd'><td class='listItem' headers='Date Board'><strong><img src='/play.png'> \
         <a href='javascript:void(0);' onclick=\"window.open('//city.example/MediaPlayer.php?view_id=7&clip_id=14')\">\
         <span style='display:none;'>1374649200</span>Jul&nbsp;24,&nbsp;13</a></strong></td>\
         <td class ='listItem' headers='Name Board'>Board</td><td class='listItem' headers='Duration Board'>05h&nbsp;55m</td>\
         <td class='listItem2'><a href='//city.example/AgendaViewer.php?view_id=7&clip_id=14'>Agenda</a></td>\
         <!-- <td class='listItem2'><a href='/audio.mp3'></a></td> -->\
         <td class='listItem2'><a href='https://media.example/14.mp4'>Video</a></td></tr>",
    )
    .unwrap();
    assert_eq!(all(&report), ["clip-14 2013-07-24 Board"]);
    assert_eq!(report.meetings[0].status, MeetingStatus::Held);
    let agenda = "https://city.example/AgendaViewer.php?view_id=7&clip_id=14";
    assert_eq!(links(&report.meetings[0]), [(DocumentRole::Agenda, "Agenda", agenda)]);
}

#[test]
fn a_row_of_a_plain_table_is_a_meeting_and_one_that_lasted_no_time_was_not_held() {
    let row = |id: u32, name: &str, length: &str| {
        format!(
            "<tr class='shade'><td class='name'>{name}</td> <!-- <td class='name'>x</td> -->\
             <td style='width: 100px;'>Jun&nbsp; 9,&nbsp;2031</td><td>{length}</td><td><a href='javascript:void(0);' \
             onClick=\"javascript: window.open('//city.example/MediaPlayer.php?view_id=24&clip_id={id}')\">Video</a></td></tr>"
        )
    };
    let head = "<thead><tr><th class='name' scope='col'>Event</th><th scope='col'>Date</th></tr></thead>";
    let rows = [row(1, "Audit", "2&nbsp;hr&nbsp;18&nbsp;min"), row(2, "Audit", "0&nbsp;hr&nbsp;00&nbsp;min")];
    let rows = rows.into_iter().chain([row(3, "Audit", "00h 00m"), row(4, "Audit - CANCELLED", "0 hr 00 min")]);
    let report = archive(&format!("{head}{}", rows.collect::<String>())).unwrap();
    let status: Vec<_> = report.meetings.iter().map(|meeting| meeting.status).collect();
    let (held, scheduled) = (MeetingStatus::Held, MeetingStatus::Scheduled);
    assert_eq!(all(&report)[0], "clip-1 2031-06-09 Audit");
    assert_eq!(status, [held, scheduled, scheduled, MeetingStatus::Cancelled]);
}

#[test]
fn an_upcoming_row_without_links_is_named_by_its_button_or_its_name() {
    let report = archive(
        "<tr class='odd' even><td class='listItem' headers='EventName' id='Council---1/11/2031'>Council - 1/11/2031</td>\
         <td class='listItem' headers='EventDate Council---1/11/2031'>\n January&nbsp;11,&nbsp;2031 - 06:25&nbsp;PM\n</td>\
         <td class='listItem' headers='EventAgendaLink'>&nbsp;</td></tr>\
         <tr class='even'><td class='listItem' headers='EventName'>Planning</td>\
         <td class='listItem' headers='EventDate Planning'>December&nbsp;14,&nbsp;2031 - 03:00&nbsp;PM</td>\
         <td class='listItem'><a href='#' class='ecomment ' style='display:none;' data-event-id='1055'>eComment</a></td></tr>",
    )
    .unwrap();
    assert_eq!(
        all(&report),
        [
            "unnumbered-2031-01-11T1825-council-1-11-2031 2031-01-11 18:25 Council - 1/11/2031",
            "event-1055 2031-12-14 15:00 Planning"
        ]
    );
    assert_eq!(report.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), [WarningCode::Unnumbered]);
    assert!(!WarningCode::Unnumbered.loses_a_row(), "what the list lacks is not there");
}

#[test]
fn documents_in_a_choice_are_documents() {
    let report = archive(
        "<tr><td class='listItem' headers='Name'>Council</td><td class='listItem' headers='Date Council'>Jul 7, 2026</td>\
         <td class='listItem'><a href='//x.granicus.com/AgendaViewer.php?view_id=13&clip_id=4609'>Agenda</a></td>\
         <td class='listItem'><select onchange='window.open(this.value)'><option value=''>Documents...</option>\
         <option value='//x.granicus.com/MinutesViewer.php?clip_id=4609&doc_id=a'>Reporter</option>\
         <option value='//x.granicus.com/MinutesViewer.php?clip_id=4609&doc_id=b'>Minutes</option></select></td></tr>",
    )
    .unwrap();
    let names: Vec<&str> = report.meetings[0].documents.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names, ["Agenda", "Reporter", "Minutes"]);
    assert!(report.meetings[0].minutes_url.as_ref().is_some_and(|url| url.as_str().ends_with("doc_id=b")));
    assert_eq!(report.meetings[0].status, MeetingStatus::Held);
}

#[test]
fn a_list_of_nothing_but_a_meeting_that_goes_on_is_no_other_page() {
    let row = |date: &str| {
        format!(
            "<tr><td class='listItem' headers='EventName'>Council</td><td class='listItem' headers='EventDate'>\
             <a onclick=\"window.open('//x.granicus.com/MediaPlayer.php?event_id=1314')\">{date}</a></td></tr>"
        )
    };
    let report = archive(&row("In Progress")).unwrap();
    assert_eq!((report.meetings.len(), report.warnings.len()), (0, 1));
    assert!(report.warnings[0].code.loses_a_row());
    assert!(archive(&row("soon")).is_err());
}

#[test]
fn a_name_that_is_a_rows_heading_is_the_title() {
    let report = archive(
        "<tr><th scope='col'>Meeting</th><th scope='col'>Date</th></tr>\
         <tr><th scope='row' headers='Name'>Harbor Board</th><td headers='Date'>May 7, 2031 - 9:00 AM</td>\
         <td><a href='https://city.example/player/event/12?view_id=3'>View</a></td></tr>\
         <tr><th scope='row' headers='Name'>Harbor Board</th><td headers='Date'>May 1, 2031</td>\
         <td><a href='javascript:void(0);' onClick=\"window.open('//city.example/MediaPlayer.php?clip_id=44')\"> </a></td></tr>",
    )
    .unwrap();
    assert_eq!(all(&report), ["clip-44 2031-05-01 Harbor Board", "event-12 2031-05-07 09:00 Harbor Board"]);
    let told = report.meetings[0].status_evidence.as_ref().map(|evidence| evidence.text.as_str());
    assert_eq!(told, Some("clip 44"), "a recording without a name");
}

#[test]
fn a_document_that_a_script_opens_or_a_picture_names_is_one() {
    let report = archive(
        "<tr class='listingRow'><td class='listItem' headers='Name'>Council</td><td class='listItem' headers='Date'>May 7, 2031</td>\
         <td><a href='javascript:void(0);' onclick=\"getDocLink('//city.example/AgendaViewer.php?view_id=2&amp;event_id=5')\">\
         <img src='a.gif' alt='Agenda'></a></td>\
         <td><a href='https://files.example/5.pdf'><img src='p.gif' alt='Agenda Packet'></a></td>\
         <td><a href='javascript:alert(1)'>Minutes</a></td></tr>",
    )
    .unwrap();
    assert_eq!(
        links(&report.meetings[0]),
        [
            (DocumentRole::Agenda, "Agenda", "https://city.example/AgendaViewer.php?view_id=2&event_id=5"),
            (DocumentRole::Packet, "Agenda Packet", "https://files.example/5.pdf")
        ]
    );
}

#[test]
fn meetings_whose_numbers_are_guids_stay_apart() {
    let row = |guid: &str| {
        format!(
            "<tr class='listingRow'><td class='listItem'>Council</td><td class='listItem'>May 7, 2031</td>\
             <td><a href='//city.example/GeneratedAgendaViewer.php?event_id={guid}'>Agenda</a></td></tr>"
        )
    };
    let [one, other] = ["2D488F17-13ff-11e7-ad57-f04da2064c47", "24881111-13ff-11e7-ad57-f04da2064c47"];
    let report = archive(&format!("{}{}", row(one), row(other))).unwrap();
    let ids: Vec<_> = report.meetings.iter().map(|meeting| meeting.vendor_id.as_str()).collect();
    assert_eq!(ids, [format!("event-{other}"), format!("event-{}", one.to_lowercase())]);
}

#[test]
fn the_page_of_one_meetings_items_is_no_archive() {
    let item = "<tr vAlign=top><td width=40>e.</td><td><a href='https://city.example/MediaPlayer.php?view_id=12&clip_id=4496&meta_id=26'>\
                Salary plan as of May 29, 2031.</a></td></tr>";
    let found = archive(item);
    assert!(matches!(found, Err(ParseError::Schema(_))), "{found:?}");
    assert!(found.unwrap_err().to_string().starts_with("the answer lacks a row of meetings"));
}

#[test]
fn an_archive_of_three_megabytes_is_read_whole() {
    let row = |id: usize| {
        let padding = " ".repeat(600);
        format!(
            "<tr class='listingRow'>{padding}<td class='listItem' headers='Name'>Council {id}</td>\
             <td class='listItem' headers='Date Council'>Nov&nbsp; 9,&nbsp;2031 - 05:36&nbsp;PM</td>\
             <td><a href='//city.example/AgendaViewer.php?view_id=22&clip_id={id}'>Agenda</a></td></tr>"
        )
    };
    let rows: String = (0..4_000).map(row).collect();
    assert!(rows.len() > 3 << 20, "{}", rows.len());
    let report = archive(&rows).unwrap();
    assert_eq!((report.meetings.len(), report.warnings.len()), (4_000, 0));
    assert!(report.meetings.iter().all(|meeting| meeting.agenda_url.is_some()));
}

fn calendar(grids: &str) -> ParseReport {
    let page = format!(
        "<html><body><form id='aspnetForm' action='https://city.example/Calendar.aspx'>{grids}</form></body></html>"
    );
    parse_file("legistar", "calendar", page.as_bytes(), None).unwrap()
}

#[test]
fn a_calendar_shows_more_documents_than_the_agenda() {
    let report = calendar(
        "<div id='x_gridCalendar'><table class='rgMasterTable'><thead><tr><th class='rgHeader'>Name</th>\
         <th class='rgHeader'>Meeting Date&nbsp;<input type='button' value=' '></th><th class='rgHeader'>Notice</th></tr></thead>\
         <tr class='rgRow'><td><font><a id='c_hypBody' href='DepartmentDetail.aspx?ID=7&amp;GUID=C-1'>Budget</a></font></td>\
         <td><font>1/22/2031</font></td><td><a id='c_hypMeetingDetail' href='MeetingDetail.aspx?ID=5&amp;GUID=AB-1&amp;Options=info|'>Details</a></td>\
         <td><a id='c_hypExtra1' href='https://media.example/n.pdf'>Notice of Cancellation</a></td>\
         <td><a id='c_hypAgenda' href='View.ashx?M=A&amp;ID=5&amp;GUID=AB-1'>Agenda</a></td>\
         <td><a id='c_hypAgendaPacket' href='View.ashx?M=PA&amp;ID=5&amp;GUID=AB-1'>All&nbsp;files</a></td>\
         <td><a id='c_hypMinutes'>Not&nbsp;available</a></td><td><a id='c_hypVideo' href='Video.aspx?ID1=9'>Video</a></td></tr></table></div>",
    );
    assert_eq!(all(&report), ["insite-5 2031-01-22 Budget"]);
    let meeting = &report.meetings[0];
    assert_eq!(
        links(meeting),
        [
            (DocumentRole::Agenda, "Agenda", "https://city.example/View.ashx?M=A&ID=5&GUID=AB-1"),
            (DocumentRole::Notice, "Notice of Cancellation", "https://media.example/n.pdf"),
            (DocumentRole::Packet, "All files", "https://city.example/View.ashx?M=PA&ID=5&GUID=AB-1")
        ]
    );
    assert_eq!((meeting.status, report.warnings.len()), (MeetingStatus::Cancelled, 0));
}

#[test]
fn a_calendars_own_words_are_read_a_comment_below_the_place_and_an_agenda_that_is_a_notice() {
    let rows = "<tr class='rgRow'><td>Art</td><td>1/24/2031</td><td>Hall<br><em>CANCELLED</em></td>\
         <td><a id='e_hypAgenda' href='View.ashx?M=A&amp;ID=7&amp;GUID=AB-3'>Agenda (rescheduled from 1/3)</a></td><td>All items of the budget</td></tr>\
         <tr class='rgRow'><td>Water</td><td>1/22/2031</td><td><font>City Hall<br /><em>CANCELLED: no quorum</em></font></td>\
         <td><a id='c_hypAgenda' href='View.ashx?M=A&amp;ID=5&amp;GUID=AB-1'>Agenda</a></td></tr>\
         <tr class='rgRow'><td>Parks</td><td>1/23/2031</td><td>Hall<br>2nd floor</td>\
         <td><a id='d_hypAgenda' href='View.ashx?M=A&amp;ID=6&amp;GUID=AB-2'>Notice of Cancellation</a></td></tr>";
    let grid = |pager: &str| {
        calendar(&format!(
            "<div id='x_gridCalendar'><table class='rgMasterTable'><thead><tr><th class='rgHeader'>Name</th>\
             <th class='rgHeader'>Meeting Date</th><th class='rgHeader'>Meeting Location</th><th class='rgHeader'>Agenda</th>\
             <th class='rgHeader'>Meeting Topic</th></tr>{pager}</thead>{rows}</table></div>"
        ))
    };
    let report = grid("");
    let [water, parks, art] = &report.meetings[..] else { panic!("{report:?}") };
    let told = |meeting: &ParsedMeeting| (meeting.location.clone(), meeting.comment.clone(), meeting.status);
    let cancelled = MeetingStatus::Cancelled;
    assert_eq!(told(water), (Some("City Hall".into()), Some("CANCELLED: no quorum".into()), cancelled));
    assert_eq!(told(parks), (Some("Hall 2nd floor".into()), None, cancelled));
    assert_eq!(told(art), (Some("Hall".into()), Some("All items of the budget; CANCELLED".into()), cancelled));
    assert!(art.agenda_url.is_some(), "an agenda of a meeting that took its place");
    let source = |meeting: &ParsedMeeting| meeting.status_evidence.as_ref().map(|evidence| evidence.source);
    assert_eq!((source(water), source(parks)), (Some(EvidenceSource::Comment), Some(EvidenceSource::Document)));
    assert_eq!((parks.documents[0].role, parks.agenda_url.is_none()), (DocumentRole::Notice, true));
    assert_eq!(report.warnings, []);

    let pager = "<tr class='rgPager'><td><a class='rgCurrentPage'>1</a><a href='#'>2</a></td></tr>";
    let codes: Vec<_> = grid(pager).warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [WarningCode::PartialList]);
    assert!(WarningCode::PartialList.loses_a_row());
    assert_eq!(grid("<tr class='rgPager'><td><a class='rgCurrentPage'>1</a></td></tr>").warnings, []);
}

#[test]
fn upcoming_and_grouped_rows_of_a_calendar_are_read_once() {
    let row = |id: u32, group: &str| {
        format!(
            "<tr class='rgAltRow'>{group}<td>Council</td><td>5/{id}/2031</td><td>7:00 PM</td>\
             <td><a id='c_hypAgenda' href='View.ashx?M=A&amp;ID={id}&amp;GUID=AB-{id}'>Agenda</a></td></tr>"
        )
    };
    let grid = |name: &str, group: &str, rows: &str| {
        format!(
            "<div id='x_{name}'><table class='rgMasterTable'><thead><tr>{group}<th class='rgHeader'>Name</th>\
             <th class='rgHeader'>Meeting Date</th><th class='rgHeader'>Meeting Time</th></tr></thead>{rows}</table></div>"
        )
    };
    let upcoming = format!("{}{}", row(5, ""), row(9, ""));
    let grouped = "<td class='rgGroupCol'>&nbsp;</td>";
    let listed = format!("<tr class='rgGroupHeader'><td colspan='4'>May</td></tr>{}", row(5, grouped));
    let report = calendar(&format!(
        "{}{}",
        grid("gridUpcomingMeetings", "", &upcoming),
        grid("gridCalendar", "<th class='rgGroupCol rgHeader'>&nbsp;</th>", &listed)
    ));
    assert_eq!(all(&report), ["insite-5 2031-05-05 19:00 Council", "insite-9 2031-05-09 19:00 Council"]);
    assert_eq!(report.warnings, []);
}

#[test]
fn a_calendars_error_that_comes_with_200_is_told() {
    let error = |page: &str| parse_file("legistar", "calendar", page.as_bytes(), None).unwrap_err();
    let gone = error("<html><body>This record no longer exists. It might have been deleted.</body></html>");
    assert_eq!(gone, ParseError::Gone);
    let broken = error("<html><head><title>Legistar Error</title></head><body>Try again later</body></html>");
    assert!(matches!(&broken, ParseError::Shape(why) if why.contains("Legistar Error")), "{broken}");
    assert_eq!(error(" "), ParseError::Empty);
}

fn agendas(rows: &str) -> ParseReport {
    let page =
        format!("<h2><span>&#9660;</span>Board of Directors</h2><table summary='List of Agendas'>{rows}</table>");
    let base = WebUrl::parse("https://city.example/").unwrap();
    parse_file("civicplus", "agenda-center", page.as_bytes(), Some(&base)).unwrap()
}

#[test]
fn a_meeting_without_a_title_is_named_after_its_board_and_never_after_its_file_or_day() {
    let row = |number: u32, name: &str| {
        format!(
            "<tr class='catAgendaRow'><td><h3><strong>May 7, 2031</strong> &mdash; Posted May 1, 2031 1:30 PM</h3>\
             <p>{name}</p></td></td><td><a href='/AgendaCenter/ViewFile/Agenda/_05072031-{number}'>Agenda</a>\
             <a href='/AgendaCenter/PreviousVersions/_05072031-{number}'>Previous Versions</a></td></tr>"
        )
    };
    let rows =
        [row(1, "<a href='/AgendaCenter/ViewFile/Agenda/_05072031-1'>\nAgenda\n</a>"), row(2, ""), row(3, "Budget")];
    let report = agendas(&rows.concat());
    let titles: Vec<_> = report.meetings.iter().map(|meeting| meeting.title.as_str()).collect();
    assert_eq!(titles, ["Board of Directors", "Board of Directors", "Budget"]);
    assert!(report.meetings.iter().all(|meeting| meeting.documents.len() == 1));
}

#[test]
fn minutes_are_minutes_where_they_are_archived_too() {
    let file = |kind: &str| format!("<a href='/AgendaCenter/ViewFile/{kind}/_05072031-7'>x</a>");
    let files = ["ArchivedAgenda", "ArchivedMinutes", "Minutes"].map(file).concat();
    let report = agendas(&format!("<tr class='catAgendaRow'><td><p>Council</p>{files}</td></tr>"));
    let roles: Vec<_> = report.meetings[0].documents.iter().map(|document| document.role).collect();
    assert_eq!(roles, [DocumentRole::Agenda, DocumentRole::Minutes, DocumentRole::Minutes]);
}

#[test]
fn tokens_and_random_ids_of_a_page_are_no_change() {
    let page = |token: &str| {
        agendas(&format!(
            "<input type='hidden' name='__RequestVerificationToken' value='{token}'><tr id='row12{token}' class='catAgendaRow'>\
             <td><p>Council</p><a id='anch{token}' href='/AgendaCenter/ViewFile/Agenda/_05072031-12'>Agenda</a></td></tr>"
        ))
    };
    assert_eq!(page("9298d9314").content_hash, page("828c8ed368861").content_hash);
}

#[test]
fn four_events_on_one_minute_stay_four_and_their_z_is_local() {
    let event =
        |id: u32| json!({"id": id, "eventName": "Board", "startDateTime": "2031-06-08T19:00:00Z", "agendaId": 0});
    let list = json!({"value": [event(1), event(2), event(3), event(4)]}).to_string();
    let report = parse_file("civicclerk", "events", list.as_bytes(), None).unwrap();
    let want: Vec<String> = (1..5).map(|id| format!("{id} 2031-06-08 19:00 Board")).collect();
    assert_eq!(all(&report), want);
}

#[test]
fn a_far_day_is_kept_and_what_is_no_day_is_told() {
    let row = |id: u32, day: &str, time: &str| json!({"id": id, "dateTime": day, "time": time, "title": "Board"});
    let list = json!([
        row(1, "2099-12-17T00:00:00", "TBD"),
        row(2, "/Date(1916006400000)/", "7:00 PM"),
        row(3, "1900-01-01T00:00:00", ""),
        {"id": 4, "dateTime": "2031-05-07T00:00:00", "time": null, "title": "Board"}
    ]);
    let report = parse_file("primegov", "meetings", list.to_string().as_bytes(), None).unwrap();
    assert_eq!(all(&report), ["4 2031-05-07 Board", "1 2099-12-17 Board"]);
    let told: Vec<_> =
        report.warnings.iter().map(|warning| (warning.code, warning.vendor_id.as_deref().unwrap())).collect();
    let mut want =
        vec![(WarningCode::UnreadableTime, "1"), (WarningCode::MissingDate, "2"), (WarningCode::MissingDate, "3")];
    want.sort();
    assert_eq!(told, want);
}

#[test]
fn an_agenda_in_two_languages_is_one_document_a_link() {
    let document = |id: u32, language: &str, template: u32, name: &str| json!({"id": id, "language": language, "compileOutputType": 1, "templateId": template, "templateSortOrder": template, "templateName": name});
    let list = json!([{"id": 5, "dateTime": "2031-05-07T17:00:00", "title": "Concejo \u{2013} reunión", "documentList": [
        document(2, "es-US", 9, "Agenda"), document(1, "en-US", 9, "Agenda"), document(3, "es-US", 10, "Orden del día")]}]);
    let base = WebUrl::parse("https://city.example/").unwrap();
    let report = parse_file("primegov", "meetings", list.to_string().as_bytes(), Some(&base)).unwrap();
    let names: Vec<_> = links(&report.meetings[0]).into_iter().map(|(role, name, _)| (role, name)).collect();
    assert_eq!(names, [(DocumentRole::Agenda, "Agenda"), (DocumentRole::Other, "Orden del día")]);
    assert_eq!(report.meetings[0].title, "Concejo \u{2013} reunión");
}
