//! Rows of pages as clerks write them beside the usual ones: nothing that takes place is called off, nothing that is
//! called off takes place, and no row or document goes unsaid.

use docket::civic::{
    model::{DocumentRole, MeetingStatus, ParsedMeeting, WarningCode, WebUrl},
    vendor::{ParseReport, parse_file},
};

pub(super) fn read(vendor: &str, kind: &str, bytes: &str) -> ParseReport {
    let base = WebUrl::parse("https://city.example/Page.aspx").unwrap();
    parse_file(vendor, kind, bytes.as_bytes(), Some(&base)).unwrap_or_else(|error| panic!("{error}: {bytes}"))
}

/// The only meeting of a page.
fn one(vendor: &str, kind: &str, bytes: &str) -> ParsedMeeting {
    let report = read(vendor, kind, bytes);
    assert_eq!(report.meetings.len(), 1, "{report:?}");
    report.meetings.into_iter().next().unwrap()
}

pub(super) fn codes(report: &ParseReport) -> Vec<WarningCode> {
    report.warnings.iter().map(|warning| warning.code).collect()
}

/// A page of Granicus: rows of a name, a day and what is linked.
fn archive(rows: &[(&str, &str, &str)]) -> String {
    let row = |(name, day, links): &(&str, &str, &str)| {
        format!(
            "<tr class='listingRow'><td class='listItem' headers='Name'>{name}</td>\
             <td class='listItem' headers='Date'>{day}</td><td class='listItem'>{links}</td></tr>"
        )
    };
    format!("<table class='listingTable'>{}</table>", rows.iter().map(row).collect::<String>())
}

const AGENDA: &str = "<a href='//x.granicus.com/AgendaViewer.php?view_id=1&clip_id=7'>Agenda</a>";
const DAY: &str = "Jul 7, 2026 - 06:00 PM";

/// A page of CivicPlus.
fn center(rows: &str) -> String {
    format!("<h2>City Council</h2><table summary='List of Agendas'>{rows}</table>")
}

fn center_row(heading: &str, cells: &str) -> String {
    format!("<tr class='catAgendaRow'><td><h3><strong>{heading}</strong></h3>{cells}</td></tr>")
}

/// A calendar of Legistar with these columns besides the usual ones.
fn calendar(grid: &str, columns: &[(&str, &str)]) -> String {
    let heads: String = columns.iter().map(|(name, _)| format!("<th class='rgHeader'>{name}</th>")).collect();
    let cells: String = columns.iter().map(|(_, cell)| format!("<td>{cell}</td>")).collect();
    format!(
        "<table class='rgMasterTable' id='x_{grid}_ctl00'><thead><tr>{heads}</tr></thead>\
         <tbody><tr class='rgRow'>{cells}</tr></tbody></table>"
    )
}

const DETAILS: (&str, &str) =
    ("Meeting Details", "<a id='x_hypMeetingDetail' href='MeetingDetail.aspx?ID=5&GUID=A1'>Meeting details</a>");
const NAME: (&str, &str) = ("Name", "City Council");
const DATE: (&str, &str) = ("Meeting Date", "7/7/2026");

#[test]
fn a_status_is_read_wherever_a_page_shows_it() {
    use MeetingStatus::{Cancelled, Postponed, Scheduled};
    for (name, day, links, want) in [
        ("Council", "Jul 7, 2026 - 06:00 PM <b>CANCELLED</b>", AGENDA, Cancelled),
        ("Council", "Jul 7, 2026 - POSTPONED", AGENDA, Postponed),
        ("Council", DAY, "<i>Cancelled</i>", Cancelled),
        ("Notice of Cancelation", DAY, AGENDA, Cancelled),
        ("Council", DAY, "<a href='/a.pdf'><img alt='PDF'></a><a href='/a.pdf'>Cancellation Notice</a>", Cancelled),
        ("Council", DAY, AGENDA, Scheduled),
    ] {
        let page = archive(&[(name, day, links)]);
        assert_eq!(one("granicus", "archive", &page).status, want, "{name} {day} {links}");
    }
    let agenda = "<p><a href='/AgendaCenter/ViewFile/Agenda/_06112026-3755'>Council</a></p>";
    let notice = |href: &str| format!("{agenda}<ol><li><a href='{href}'>Notice of Cancellation</a></li></ol>");
    for (cells, want) in [
        (notice("https://x.example/notice.pdf"), Cancelled),
        (notice("/AgendaCenter/ViewFile/Agenda/_06112026-3755?html=true"), Cancelled),
        (format!("{agenda}<p>CANCELLED</p>"), Cancelled),
        (agenda.to_owned(), Scheduled),
    ] {
        let meeting = one("civicplus", "agenda-center", &center(&center_row("Jun 11, 2026", &cells)));
        assert_eq!(meeting.status, want, "{cells}");
    }
    for (column, cell, want) in [
        ("Agenda Status", "Cancelled", Cancelled),
        ("Agenda", "<a id='x_hypAgenda'>Cancelled</a>", Cancelled),
        ("Meeting Topic", "Oversight - Student Loan Cancellation", Scheduled),
        ("Meeting Topic", "Meeting Cancelled", Cancelled),
    ] {
        let page = calendar("gridCalendar", &[NAME, DATE, DETAILS, (column, cell)]);
        assert_eq!(one("legistar", "calendar", &page).status, want, "{column} {cell}");
    }
}

#[test]
fn rows_of_one_id_are_one_meeting_whatever_their_order() {
    let minutes = "<a href='//x.granicus.com/MinutesViewer.php?view_id=1&clip_id=7'>Minutes</a>";
    let mut rows = [("Council", "Jul 7, 2026", AGENDA), ("Council - CANCELLED", DAY, minutes)];
    let first = one("granicus", "archive", &archive(&rows));
    assert_eq!((first.status, first.documents.len()), (MeetingStatus::Cancelled, 2));
    assert_eq!(first.local_time, Some(jiff::civil::time(18, 0, 0, 0)));
    rows.reverse();
    assert_eq!(one("granicus", "archive", &archive(&rows)), first);

    let row = |kind: &str, title: &str| {
        let link = format!("<p><a href='/AgendaCenter/ViewFile/{kind}/_06112026-3755'>{title}</a></p>");
        center_row("Jun 11, 2026", &link)
    };
    let (agenda, minutes) = (row("Agenda", "Council"), row("Minutes", "CANCELLED Council"));
    let first = one("civicplus", "agenda-center", &center(&format!("{agenda}{minutes}")));
    assert_eq!((first.status, first.documents.len()), (MeetingStatus::Cancelled, 2));
    assert_eq!(one("civicplus", "agenda-center", &center(&format!("{minutes}{agenda}"))), first);

    let upcoming = calendar("gridUpcomingMeetings", &[NAME, DATE, DETAILS]);
    let agenda = ("Agenda", "<a id='x_hypAgenda' href='View.ashx?M=A&ID=9'>Agenda</a>");
    let place = ("Meeting Location", "Hall <br><em>CANCELLED</em>");
    let whole = calendar("gridCalendar", &[NAME, DATE, DETAILS, agenda, place]);
    let first = one("legistar", "calendar", &format!("{upcoming}{whole}"));
    assert_eq!((first.status, first.documents.len()), (MeetingStatus::Cancelled, 1));
    assert_eq!(one("legistar", "calendar", &format!("{whole}{upcoming}")), first);
}

#[test]
fn rows_of_one_id_that_speak_of_two_meetings_are_not_joined() {
    let minutes = "<a href='//x.granicus.com/MinutesViewer.php?view_id=1&clip_id=7'>Minutes</a>";
    let whole = format!("{AGENDA}{minutes}");
    for other in [
        ("Council - CANCELLED", "Jul 21, 2026 - 06:00 PM"),
        ("Council - CANCELLED", "Jul 7, 2026 - 09:00 PM"),
        ("Agency - CANCELLED", DAY),
        ("Council Workshop - CANCELLED", DAY),
    ] {
        let mut rows = [("Council", DAY, whole.as_str()), (other.0, other.1, AGENDA)];
        for _ in 0..2 {
            let report = read("granicus", "archive", &archive(&rows));
            let told: Vec<_> = report.meetings.iter().map(|m| (m.title.as_str(), m.status)).collect();
            assert_eq!(told, [("Council", MeetingStatus::Held)], "{other:?}");
            assert_eq!(codes(&report), [WarningCode::DuplicateId]);
            rows.reverse();
        }
    }
    // A recording that two events name is neither's.
    let event = |id: u32| format!("<a href='/AgendaViewer.php?view_id=1&event_id={id}&clip_id=9'>Agenda</a>");
    let (one, two) = (event(1), event(2));
    let clip = "<a href='/MinutesViewer.php?view_id=1&clip_id=9'>Minutes</a>";
    let rows = [("Agency", DAY, one.as_str()), ("Council", DAY, two.as_str()), ("Council", DAY, clip)];
    let minutes: Vec<bool> = read("granicus", "archive", &archive(&rows))
        .meetings
        .iter()
        .filter(|meeting| meeting.title == "Agency")
        .map(|meeting| meeting.minutes_url.is_some())
        .collect();
    assert_eq!(minutes, [false]);
}

#[test]
fn what_stands_beside_a_meeting_is_not_its_status() {
    let page = archive(&[("Council", DAY, AGENDA)]);
    for cell in ["Deferred Compensation Board", "Recess Hall, 1 Main St", "Committee on Recess Appointments"] {
        let page = page.replace("</tr>", &format!("<td class='listItem'>{cell}</td></tr>"));
        assert_eq!(one("granicus", "archive", &page).status, MeetingStatus::Scheduled, "{cell}");
    }
    let agenda = "<p><a href='/AgendaCenter/ViewFile/Agenda/_06112026-3755'>Council</a></p>";
    for more in [
        "<p>Note: the June 18, 2026 meeting is cancelled</p>",
        "<p>The July 7 meeting has been cancelled</p>",
        "<ol><li><a href='/DocumentCenter/View/12'>Cancelled Checks</a></li></ol>",
        "<ol><li><a href='https://x.example/last.pdf'>Minutes of last meeting (Jun 4)</a></li></ol>",
    ] {
        let meeting =
            one("civicplus", "agenda-center", &center(&center_row("Jun 11, 2026", &format!("{agenda}{more}"))));
        assert_eq!(meeting.status, MeetingStatus::Scheduled, "{more}");
    }
}

#[test]
fn a_table_within_a_cell_a_button_and_a_row_of_one_cell_lose_no_meeting() {
    let good = ("Board", "Jul 8, 2026", "<a href='//x.granicus.com/AgendaViewer.php?view_id=1&clip_id=8'>Agenda</a>");
    let boxed = format!("<table><tr><td>{AGENDA}</td><td>x</td></tr></table>");
    for (name, links) in [("<table><tr><td>Council</td></tr></table>", AGENDA), ("Council", boxed.as_str())] {
        let report = read("granicus", "archive", &archive(&[(name, DAY, links), good]));
        let told: Vec<_> = report.meetings.iter().map(|m| (m.vendor_id.as_str(), m.title.as_str())).collect();
        assert_eq!(told, [("clip-7", "Council"), ("clip-8", "Board")], "{name} {links}");
        assert_eq!(report.warnings, [], "{name} {links}");
    }
    let play = "<a onClick=\"window.open('//x/MediaPlayer.php?view_id=1&clip_id=7')\">play</a>&nbsp;Council";
    assert_eq!(one("granicus", "archive", &archive(&[(play, DAY, AGENDA)])).title, "Council");
    let named = "<a href='//x/MediaPlayer.php?view_id=1&clip_id=7'>Video Board</a>";
    assert_eq!(one("granicus", "archive", &archive(&[(named, DAY, AGENDA)])).title, "Video Board");

    let single = format!("<tr class='listingRow'><td class='listItem'>Planning<br>Jul 9, 2026<br>{AGENDA}</td></tr>");
    let page = archive(&[good]).replace("</table>", &format!("{single}</table>"));
    let report = read("granicus", "archive", &page);
    assert_eq!((report.meetings.len(), codes(&report)), (1, vec![WarningCode::MissingDate]));
}

#[test]
fn a_cell_that_holds_a_table_of_meetings_loses_none_of_them() {
    let row = |name: &str, day: &str, clip: u32| {
        let link = format!("<a href='//x.granicus.com/AgendaViewer.php?view_id=1&clip_id={clip}'>Agenda</a>");
        format!("<tr><td>{name}</td><td>{day}</td><td>{link}</td></tr>")
    };
    let inner = format!("<table>{}{}</table>", row("Council", "Jul 7, 2026", 7), row("Parks", "Jul 8, 2026", 8));
    for page in [
        format!("<table><tr><td class='listItem'>{inner}</td></tr></table>"),
        format!("<div class='listItems'>{inner}</div>"),
        format!(
            "<table><tr class='listingRow'><td class='listItem'>2026</td><td class='listItem'>{inner}</td></tr></table>"
        ),
    ] {
        let report = read("granicus", "archive", &page);
        let ids: Vec<&str> = report.meetings.iter().map(|meeting| meeting.vendor_id.as_str()).collect();
        assert_eq!(ids, ["clip-7", "clip-8"], "{page}");
    }
    let watch = |name: &str| format!("{name} <a href='//x/MediaPlayer.php?view_id=1&clip_id=7'>Watch</a>");
    let page = archive(&[(&watch("Watchdog Committee"), DAY, AGENDA)]);
    assert_eq!(one("granicus", "archive", &page).title, "Watchdog Committee");
}

#[test]
fn a_row_without_a_number_keeps_its_name_when_it_is_called_off() {
    let id = |name: &str| one("granicus", "archive", &archive(&[(name, DAY, "")])).vendor_id;
    assert_eq!(id("City Council"), id("City Council - CANCELLED"));
}

#[test]
fn files_of_other_kinds_are_documents_and_a_notice_is_no_agenda() {
    let links = "<a href='/a.docx'>Addendum</a><a href='/DocumentCenter/View/1/Report'>Staff Report</a>\
                 <a href='/late.pdf?x=1'>Late Correspondence</a><a href='/elsewhere'>Home</a>\
                 <a href='//x.granicus.com/AgendaViewer.php?view_id=1&clip_id=7'>Cancellation Notice</a>";
    let meeting = one("granicus", "archive", &archive(&[("Council", DAY, links)]));
    let told: Vec<_> = meeting.documents.iter().map(|document| (document.role, document.name.as_str())).collect();
    let other = DocumentRole::Other;
    let notice = (DocumentRole::Notice, "Cancellation Notice");
    assert_eq!(told, [(other, "Addendum"), (other, "Staff Report"), (other, "Late Correspondence"), notice]);
    assert_eq!(meeting.agenda_url, None);
}

#[test]
fn the_day_that_a_center_prints_is_the_day_and_a_day_is_no_title() {
    let link = |text: &str| format!("<p><a href='/AgendaCenter/ViewFile/Agenda/_06112026-3755'>{text}</a></p>");
    let heading = "Jun 12, 2026 — Posted Jun 5, 2026 4:00 PM";
    let report = read("civicplus", "agenda-center", &center(&center_row(heading, &link("June 12, 2026"))));
    let [meeting] = &report.meetings[..] else { panic!("{report:?}") };
    assert_eq!((meeting.local_date.to_string().as_str(), meeting.title.as_str()), ("2026-06-12", "City Council"));
    assert_eq!((meeting.local_time, codes(&report)), (None, vec![WarningCode::OtherDay]));
    assert!(!WarningCode::OtherDay.loses_a_row());
    for heading in ["Amended Jun 8, 2026 2:38 PM — Jun 11, 2026", "Revised Jun 8, 2026", "Jun 11, 1926"] {
        let meeting = one("civicplus", "agenda-center", &center(&center_row(heading, &link("Council"))));
        assert_eq!(meeting.local_date.to_string(), "2026-06-11", "{heading}");
    }
    let meeting = one("civicplus", "agenda-center", &center(&center_row("Jun 11, 2026", &link("Rescheduled Meeting"))));
    assert!(meeting.agenda_url.is_some(), "it has an agenda");
    for (text, title) in [
        ("Agenda (PDF)", "City Council"),
        ("Retreat, June 11, 2026", "Retreat, June 11, 2026"),
        ("May Board", "May Board"),
    ] {
        let page = center(&center_row("Jun 11, 2026", &link(text)));
        assert_eq!(one("civicplus", "agenda-center", &page).title, title);
    }
}
