//! Vendors' sites as they are asked, against stubs that answer what was recorded or made up.

use super::site::{Answer, Site, answer, redirect};
use docket::civic::{
    model::{Parsed, ParsedMeeting, Source, SourceMeetingId, Vendor},
    vendor::{
        ParseError, VendorError, Window,
        http::{FetchError, Reach},
        open,
    },
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Mutex};

fn window() -> Window {
    Window { from: "2031-05-01".parse().unwrap(), to: "2031-05-31".parse().unwrap() }
}

fn source(site: &Site, vendor: Vendor, params: &[(&str, &str)]) -> Source {
    let mut all: BTreeMap<String, String> = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    all.entry("base_url".to_owned()).or_insert_with(|| site.url("/"));
    Source { vendor, client: "exampleville".to_owned(), params: all }
}

async fn list(
    vendor: Vendor,
    params: &[(&str, &str)],
    script: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> (Result<Parsed<ParsedMeeting>, VendorError>, Vec<String>) {
    let site = Site::start(script).await;
    let meetings = match open(&site.client(), &source(&site, vendor, params), false) {
        Ok(opened) => opened.meetings(window()).await,
        Err(error) => Err(error),
    };
    let paths = site.asked().iter().map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect();
    (meetings, paths)
}

fn ids(parsed: &Parsed<ParsedMeeting>) -> Vec<&str> {
    parsed.values.iter().map(|meeting| meeting.vendor_id.as_str()).collect()
}

#[tokio::test]
async fn primegov_lists_what_comes_and_what_was() {
    let row = |id: u32, day: &str| {
        json!({"id": id, "dateTime": format!("{day}T18:00:00"), "title": "Council",
               "documentList": [{"compileOutputType": 1, "templateId": 4, "templateName": "Agenda"}]})
    };
    let (listed, asked) = list(Vendor::PrimeGov, &[], move |path| match path {
        "/api/v2/PublicPortal/ListUpcomingMeetings" => {
            answer(200, "", json!([row(2, "2031-05-20"), row(3, "2031-06-20")]).to_string())
        }
        "/api/v2/PublicPortal/ListArchivedMeetings?year=2031" => {
            answer(200, "", json!([row(1, "2031-05-02"), row(2, "2031-05-20")]).to_string())
        }
        _ => answer(404, "", ""),
    })
    .await;
    let listed = listed.unwrap();
    assert_eq!((ids(&listed), asked.len(), listed.warnings.len()), (vec!["1", "2"], 2, 0));
    let agenda = listed.values[0].agenda_url.as_ref().unwrap().as_str();
    assert!(agenda.ends_with("/Public/CompiledDocument?meetingTemplateId=4&compileOutputType=1"), "{agenda}");
}

#[tokio::test]
async fn granicus_needs_its_view_and_drops_the_archive_before_the_window() {
    let (refused, asked) = list(Vendor::Granicus, &[], |_| answer(200, "", "")).await;
    assert!(matches!(refused, Err(VendorError::Parameter { name: "view_id", .. })) && asked.is_empty(), "{refused:?}");

    let row = |id: u32, day: &str| {
        format!(
            "<tr class='listingRow'><td class='listItem' headers='Name'>Council {id}</td>\
             <td class='listItem' headers='Date'>{day} - 06:00 PM</td>\
             <td><a href='//x.example/AgendaViewer.php?view_id=3&event_id={id}'>Agenda</a></td></tr>"
        )
    };
    let rows: String = (0..1_500).map(|n| row(n, "May 7, 2012")).chain([row(9_000, "May 7, 2031")]).collect();
    let (listed, asked) = list(Vendor::Granicus, &[("view_id", "3")], move |_| {
        answer(200, "Content-Type: text/html\r\n", format!("<table class='listingTable'>{rows}</table>"))
    })
    .await;
    assert_eq!((ids(&listed.unwrap()), asked), (vec!["event-9000"], vec!["/ViewPublisher.php?view_id=3".to_owned()]));
}

#[tokio::test]
async fn civicplus_is_followed_to_the_citys_own_domain() {
    let page = "<table summary='List of Agendas'><tr class='catAgendaRow'><td><h4><a href='/AgendaCenter/ViewFile/Agenda/_05072031-12'>\
                May 7, 2031</a></h4><p>Council 5:30 PM</p></td></tr></table>";
    let (listed, asked) = list(Vendor::CivicPlus, &[], move |path| {
        if path.starts_with("/own/") { answer(200, "", page) } else { redirect(&format!("/own{path}")) }
    })
    .await;
    let listed = listed.unwrap();
    assert_eq!(ids(&listed), ["_05072031-12"]);
    assert!(
        asked[0].starts_with("/AgendaCenter/Search/?term=&CIDs=all&startDate=05%2F01%2F2031&endDate=05%2F31%2F2031")
    );
    assert_eq!(listed.values[0].local_time.map(|time| time.to_string()).as_deref(), Some("17:30:00"));
    assert!(listed.values[0].agenda_url.is_some());
}

fn event(id: u32) -> Value {
    json!({"id": id, "eventName": "Board", "startDateTime": "2031-05-07T19:00:00Z", "agendaId": 1_000 + id})
}

#[tokio::test]
async fn civicclerk_is_read_page_by_page_and_never_at_another_site() {
    let (listed, asked) = list(Vendor::CivicClerk, &[], |path| {
        let last = path.contains("skip");
        let mut body = json!({"value": [event(if last { 2 } else { 1 })]});
        if !last {
            body["@odata.nextLink"] = json!("Events?skip=1");
        }
        answer(200, "", body.to_string())
    })
    .await;
    assert_eq!((ids(&listed.unwrap()), asked.len()), (vec!["1", "2"], 2));

    let (strayed, asked) = list(Vendor::CivicClerk, &[], |_| {
        answer(200, "", json!({"value": [event(1)], "@odata.nextLink": "https://evil.example/Events"}).to_string())
    })
    .await;
    assert!(matches!(strayed, Err(VendorError::Parse { source: ParseError::Shape(_), .. })) && asked.len() == 1);

    let (endless, asked) = list(Vendor::CivicClerk, &[], |_| {
        answer(200, "", json!({"value": [event(1)], "@odata.nextLink": "Events?again"}).to_string())
    })
    .await;
    assert!(matches!(endless, Err(VendorError::Parse { .. })) && asked.len() == 50, "{}", asked.len());
}

#[tokio::test]
async fn an_agenda_of_civicclerk_is_asked_by_its_own_number() {
    let site = Site::start(|path| match path {
        "/Meetings/1814" => {
            answer(200, "", json!({"items": [{"id": 1, "agendaObjectItemName": "Roll call"}]}).to_string())
        }
        _ => answer(404, "", ""),
    })
    .await;
    let opened = open(&site.client(), &source(&site, Vendor::CivicClerk, &[]), false).unwrap();
    let mut meeting = ParsedMeeting::new("7".into(), "Board".to_owned(), "2031-05-07".parse().unwrap());
    assert!(opened.agenda(&meeting).is_none(), "it has no agenda yet");
    meeting.aliases = vec![SourceMeetingId("agenda-1814".to_owned())];
    assert_eq!(opened.agenda(&meeting).unwrap().await.unwrap().values.len(), 1);
    assert_eq!(site.asked().len(), 1);
}

#[tokio::test]
async fn a_closed_api_of_legistar_leads_to_the_calendar() {
    let grid = "<div id='gridCalendar'><table class='rgMasterTable'><thead><tr><th class='rgHeader'>Name</th>\
                <th class='rgHeader'>Meeting Date</th><th class='rgHeader'>Meeting Time</th></tr></thead>\
                <tr class='rgRow'><td>Council</td><td>5/7/2031</td><td>7:00 PM</td>\
                <td><a id='x_hypAgenda' href='View.ashx?M=A&amp;ID=5&amp;GUID=AB-1'>Agenda</a></td></tr></table></div>";
    // An API that was never set up answers 400.
    for status in [403, 401, 400] {
        let script = move |path: &str| {
            if path.starts_with("/Calendar.aspx") { answer(200, "", grid) } else { answer(status, "", "closed") }
        };
        let site = Site::start(script).await;
        let with_calendar = site.url("/Calendar.aspx");
        let opened =
            open(&site.client(), &source(&site, Vendor::Legistar, &[("calendar_url", &with_calendar)]), false).unwrap();
        let listed = opened.meetings(window()).await.unwrap();
        assert_eq!(ids(&listed), ["insite-5"], "{status}");
        assert!(listed.values[0].agenda_url.is_some());
        assert!(opened.agenda(&listed.values[0]).is_none(), "its agenda is a document");
        let loses = listed.warnings.iter().any(|warning| warning.code.loses_a_row());
        assert!(loses, "a calendar may show this month only: what it lacks is not withdrawn");
    }

    // Where the API never had this client, a listing that has worked goes on working; where all is down, it is an outage.
    for (calendar, works) in [(answer(200, "", grid), true), (answer(503, "", ""), false), (answer(404, "", ""), false)]
    {
        let calendar = Mutex::new(Some(calendar));
        let site = Site::start(move |path| match path.starts_with("/Calendar.aspx") {
            true => calendar.lock().unwrap().take().unwrap(),
            false => answer(500, "", ""),
        })
        .await;
        let with_calendar = site.url("/Calendar.aspx");
        let opened =
            open(&site.client(), &source(&site, Vendor::Legistar, &[("calendar_url", &with_calendar)]), true).unwrap();
        match opened.meetings(window()).await {
            Ok(listed) => assert!(works && ids(&listed) == ["insite-5"]),
            Err(error) => assert!(!works && error.reach() == Reach::Down, "{error}"),
        }
    }

    // Nobody answers for the calendar: what the API said is told.
    let (closed, _) = list(Vendor::Legistar, &[], |_| answer(403, "", "closed")).await;
    assert!(matches!(closed, Err(VendorError::Fetch(FetchError::Status { status: 403, .. }))), "{closed:?}");
}

#[tokio::test]
async fn a_name_that_no_vendor_has_is_told_from_an_outage() {
    for vendor in [Vendor::PrimeGov, Vendor::CivicPlus, Vendor::CivicClerk] {
        let site = Site::start(|_| answer(404, "", "")).await;
        for (proven, unknown) in [(false, true), (true, false)] {
            let listed = open(&site.client(), &source(&site, vendor, &[]), proven).unwrap().meetings(window()).await;
            assert_eq!(matches!(listed, Err(VendorError::UnknownClient(_))), unknown, "{vendor} {proven}: {listed:?}");
        }
    }
}

#[tokio::test]
async fn a_page_of_something_else_is_an_error_and_never_no_meetings() {
    for vendor in Vendor::ALL {
        for body in ["<html><title>Error</title></html>", "", "{\"error\": {\"message\": \"no\"}}", "[1, 2]"] {
            let (listed, _) = list(*vendor, &[("view_id", "1")], move |_| answer(200, "", body)).await;
            let empty = listed.as_ref().is_ok_and(|parsed| parsed.warnings.is_empty());
            assert!(!empty, "{vendor} {body:?}: {listed:?}");
        }
    }
}
