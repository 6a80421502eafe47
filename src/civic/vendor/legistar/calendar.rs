//! `Calendar.aspx`: the pages of clients that closed their API. Cities choose and name the columns.

use super::events;
use crate::civic::{
    model::{DocumentRole, EvidenceSource, Parsed, ParsedMeeting, SourceMeetingId, Warning, WarningCode, WebUrl},
    vendor::{
        ParseError, clock,
        html::{Page, number_after, selector, visible},
        links::{Links, publish},
        rows::{listing, typed_time, warn},
        status,
    },
};
use scraper::{ElementRef, Selector};
use std::collections::BTreeMap;

/// Rows of one page that are read.
const MAX_ROWS: usize = 20_000;

/// Parses a calendar page. Links are relative to `base`, or to where the page's form goes.
///
/// # Errors
/// When the bytes are no such page; Legistar's errors come as pages too. A row that can't be used is a warning.
pub fn parse_calendar(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let page = Page::read(bytes, base)?;
    let css = Css::new();
    let Some(grid) = page.all(&css.grid).next() else { return Err(no_calendar(&page)) };
    let columns: Vec<String> = grid.select(&css.head).map(|head| visible(head).to_lowercase()).collect();
    let mut warnings = Vec::new();
    let mut meetings: BTreeMap<String, ParsedMeeting> = BTreeMap::new();
    let mut rows = 0_usize;
    for row in grid.select(&css.rows) {
        rows += 1;
        if rows > MAX_ROWS {
            warn(&mut warnings, WarningCode::TooManyRows, "the page has more rows than are read", None);
            break;
        }
        let Some(meeting) = meeting(row, &columns, &css, page.base(), &mut warnings) else { continue };
        let id = meeting.vendor_id.as_str().to_owned();
        if meetings.contains_key(&id) {
            warn(&mut warnings, WarningCode::DuplicateId, "the id occurs twice: the first row is kept", Some(&id));
            continue;
        }
        meetings.insert(id, meeting);
    }
    if meetings.is_empty() && (rows > 0 || grid.select(&css.none).next().is_none()) {
        return Err(ParseError::Schema("a row with an id and a date (class rgRow)"));
    }
    Ok(listing(meetings.into_values().collect(), warnings))
}

/// Errors come with status 200.
fn no_calendar(page: &Page) -> ParseError {
    let text = page.all(&selector("body")).next().map(visible).unwrap_or_default();
    if text.contains("record no longer exists") {
        return ParseError::Gone;
    }
    let title = page.title();
    if title.to_lowercase().contains("error") {
        return ParseError::Shape(format!("a page that tells of an error: {title:?}"));
    }
    ParseError::Schema("a calendar (class rgMasterTable)")
}

struct Css {
    grid: Selector,
    head: Selector,
    rows: Selector,
    none: Selector,
    links: Selector,
}

impl Css {
    fn new() -> Self {
        Self {
            grid: selector("[id$=gridCalendar] table.rgMasterTable, table.rgMasterTable[id*=gridCalendar]"),
            head: selector("thead th.rgHeader"),
            rows: selector("tr.rgRow, tr.rgAltRow"),
            none: selector("tr.rgNoRecords"),
            links: selector("a[id]"),
        }
    }
}

/// A link of the row, by the end of its id.
fn link<'a>(row: ElementRef<'a>, css: &'a Css, ending: &str) -> Option<&'a str> {
    row.select(&css.links).find(|link| link.attr("id").is_some_and(|id| id.ends_with(ending)))?.attr("href")
}

fn meeting(
    row: ElementRef<'_>,
    columns: &[String],
    css: &Css,
    base: Option<&WebUrl>,
    warnings: &mut Vec<Warning>,
) -> Option<ParsedMeeting> {
    let cells: Vec<String> = row.child_elements().filter(|cell| cell.value().name() == "td").map(visible).collect();
    let cell = |names: &[&str]| {
        let at = columns.iter().position(|column| names.contains(&column.as_str()))?;
        cells.get(at).map(String::as_str).filter(|text| !text.is_empty())
    };
    let [calendar, details, agenda, minutes] =
        ["hypiCal", "hypMeetingDetail", "hypAgenda", "hypMinutes"].map(|ending| link(row, css, ending));
    // The page's own number is another one than the API's; the GUID is the same.
    let address =
        [details, calendar, agenda, minutes].into_iter().flatten().find(|href| number_after(href, "ID=").is_some());
    let Some((number, guid)) = address.and_then(|href| Some((number_after(href, "ID=")?, after(href, "GUID=")))) else {
        warn(warnings, WarningCode::MissingId, "a row has no link with its id", None);
        return None;
    };
    let id = format!("insite-{number}");
    let date = cell(&["meeting date", "date"])
        .or_else(|| cells.iter().map(String::as_str).find(|text| clock::typed_date(text).is_some()));
    let Some(date) = date
        .and_then(|text| clock::typed_date(text))
        .map(|(date, _)| date)
        .filter(|date| !clock::is_placeholder(*date))
    else {
        warn(warnings, WarningCode::MissingDate, "the row has no date that can be read", Some(&id));
        return None;
    };
    let body = cell(&["name", "meeting body", "body", "department", "committee"])
        .or_else(|| cells.first().map(String::as_str));
    let body = body.unwrap_or_default().to_owned();
    let time_text = cell(&["meeting time", "time"]).map(ToOwned::to_owned);
    let mut meeting = ParsedMeeting::new(SourceMeetingId(id.clone()), body.clone(), date);
    meeting.aliases.extend(guid.map(events::guid));
    meeting.body_name = body;
    meeting.local_time = time_text.as_deref().and_then(|text| typed_time("the meeting's time", text, &id, warnings));
    meeting.time_text = time_text;
    meeting.location = cell(&["meeting location", "location"]).map(ToOwned::to_owned);
    meeting.comment = cell(&["meeting topic", "topic", "comments", "notes"]).map(ToOwned::to_owned);
    let mut links = Links::new(base, &id, warnings);
    for (role, name, href) in [(DocumentRole::Agenda, "Agenda", agenda), (DocumentRole::Minutes, "Minutes", minutes)] {
        href.into_iter().for_each(|href| links.add(role, name, href));
    }
    meeting.page_url = details.and_then(|href| links.page("Meeting details", href));
    let documents = links.end();
    publish(&mut meeting, documents);
    (meeting.status, meeting.status_evidence) = status::read(&[
        (EvidenceSource::Title, Some(&meeting.title)),
        (EvidenceSource::Time, meeting.time_text.as_deref()),
        (EvidenceSource::Location, meeting.location.as_deref()),
        (EvidenceSource::Comment, meeting.comment.as_deref()),
    ]);
    Some(meeting)
}

/// The word behind a name in an address.
fn after<'a>(href: &'a str, name: &str) -> Option<&'a str> {
    let rest = &href[href.find(name)? + name.len()..];
    let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len())];
    (1..=64).contains(&word.len()).then_some(word)
}
