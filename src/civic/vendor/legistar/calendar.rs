//! `Calendar.aspx`: the pages of clients that closed their API. Cities choose and name the columns.

use super::events;
use crate::civic::{
    model::{DocumentRole, EvidenceSource, Parsed, ParsedMeeting, SourceMeetingId, Warning, WarningCode, WebUrl},
    vendor::{
        ParseError, clock,
        html::{Page, label, number_after, selector, visible},
        links::{Links, publish},
        rows::{listing, typed_time, warn},
        status,
        text::cut,
        twice,
    },
};
use scraper::{ElementRef, Selector};
use std::collections::BTreeMap;

/// Rows of one page that are read.
const MAX_ROWS: usize = 20_000;
/// How the ids of a row's links end, whatever stands before.
const DETAILS: &str = "hypMeetingDetail";
const AGENDA: &str = "hypAgenda";
const MINUTES: &str = "hypMinutes";

/// Parses a calendar page. Links are relative to `base`, or to where the page's form goes.
///
/// # Errors
/// When the bytes are no such page; Legistar's errors come as pages too. A row that can't be used is a warning.
pub fn parse_calendar(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let page = Page::read(bytes, base)?;
    let css = Css::new();
    let mut warnings = Vec::new();
    // What is upcoming stands in the calendar too.
    let mut meetings: BTreeMap<String, Vec<ParsedMeeting>> = BTreeMap::new();
    let (mut rows, mut grids, mut is_empty) = (0_usize, 0_usize, false);
    for grid in page.all(&css.grid) {
        grids += 1;
        is_empty |= grid.select(&css.none).next().is_some();
        if grid.select(&css.pages).next().is_some() {
            warn(&mut warnings, WarningCode::PartialList, "the calendar has more pages than this one", None);
        }
        let columns: Vec<String> = grid.select(&css.head).map(|head| visible(head).to_lowercase()).collect();
        for row in grid.select(&css.rows) {
            rows += 1;
            if rows > MAX_ROWS {
                warn(&mut warnings, WarningCode::TooManyRows, "the page has more rows than are read", None);
                break;
            }
            let Some(meeting) = meeting(row, &columns, &css, page.base(), &mut warnings) else { continue };
            meetings.entry(meeting.vendor_id.as_str().to_owned()).or_default().push(meeting);
        }
    }
    if grids == 0 {
        return Err(no_calendar(&page));
    }
    if meetings.is_empty() && (rows > 0 || !is_empty) {
        return Err(ParseError::Schema("a row with an id and a date (class rgRow)"));
    }
    let meetings = meetings.into_values().filter_map(|rows| twice::one(rows, &mut warnings)).collect();
    Ok(listing(meetings, warnings))
}

/// Errors come with status 200.
fn no_calendar(page: &Page) -> ParseError {
    let text = page.all(&selector("body")).next().map(visible).unwrap_or_default();
    if text.contains("record no longer exists") {
        return ParseError::Gone;
    }
    let (title, _) = cut(page.title(), 200);
    if title.to_lowercase().contains("error") {
        return ParseError::Shape(format!("a page that tells of an error: {title:?}"));
    }
    ParseError::Schema("a calendar (class rgMasterTable)")
}

struct Css {
    grid: Selector,
    head: Selector,
    cells: Selector,
    rows: Selector,
    none: Selector,
    pages: Selector,
    links: Selector,
    named: Selector,
    comment: Selector,
}

impl Css {
    fn new() -> Self {
        Self {
            grid: selector(
                "[id$=gridCalendar] table.rgMasterTable, table.rgMasterTable[id*=gridCalendar], \
                 [id$=gridUpcomingMeetings] table.rgMasterTable, table.rgMasterTable[id*=gridUpcomingMeetings]",
            ),
            head: selector("thead th.rgHeader:not(.rgGroupCol):not(.rgExpandCol)"),
            cells: selector("td:not(.rgGroupCol):not(.rgExpandCol)"),
            rows: selector("tr.rgRow, tr.rgAltRow"),
            none: selector("tr.rgNoRecords"),
            // Beside the page that is shown stands another.
            pages: selector(".rgPager a.rgCurrentPage + a, .rgPager a + a.rgCurrentPage"),
            links: selector("a[id]"),
            named: selector("[id$=hypMeetingDetail], a[id$=hypAgenda]:not([href]), a[id$=hypMinutes]:not([href])"),
            comment: selector("br + em"),
        }
    }
}

/// A link of the row, by the end of its id.
fn link<'a>(row: ElementRef<'a>, css: &'a Css, ending: &str) -> Option<ElementRef<'a>> {
    row.select(&css.links)
        .find(|link| link.attr("id").is_some_and(|id| id.ends_with(ending)) && link.attr("href").is_some())
}

/// Its address.
fn href<'a>(row: ElementRef<'a>, css: &'a Css, ending: &str) -> Option<&'a str> {
    link(row, css, ending)?.attr("href")
}

/// The place, and the comment that stands below it in the same cell.
fn place(cell: ElementRef<'_>, css: &Css) -> (Option<String>, Option<String>) {
    let (whole, comment) = (visible(cell), cell.select(&css.comment).last().map(visible));
    let place = comment.as_deref().and_then(|comment| whole.strip_suffix(comment));
    let told = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    match place {
        Some(place) => (told(place), comment.as_deref().and_then(told)),
        None => (told(&whole), None),
    }
}

fn meeting(
    row: ElementRef<'_>,
    columns: &[String],
    css: &Css,
    base: Option<&WebUrl>,
    warnings: &mut Vec<Warning>,
) -> Option<ParsedMeeting> {
    let elements: Vec<ElementRef<'_>> = row.child_elements().filter(|cell| css.cells.matches(cell)).collect();
    let cells: Vec<String> = elements.iter().map(|cell| visible(*cell)).collect();
    let column = |names: &[&str]| columns.iter().position(|column| names.contains(&column.as_str()));
    let cell = |names: &[&str]| cells.get(column(names)?).map(String::as_str).filter(|text| !text.is_empty());
    let Some((number, guid)) = identity(row, css) else {
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
    meeting.aliases.extend(guid.and_then(events::guid));
    meeting.body_name = body;
    meeting.local_time = time_text.as_deref().and_then(|text| typed_time("the meeting's time", text, &id, warnings));
    meeting.time_text = time_text;
    let located = column(&["meeting location", "location"]).and_then(|at| elements.get(at));
    let (location, below) = located.map(|cell| place(*cell, css)).unwrap_or_default();
    let topic = cell(&["meeting topic", "topic", "comments", "notes"]).map(ToOwned::to_owned);
    let state = cell(&["status", "meeting status", "agenda status"]);
    meeting.location = location;
    let comments: Vec<&str> = [topic.as_deref(), below.as_deref()].into_iter().flatten().collect();
    meeting.comment = (!comments.is_empty()).then(|| comments.join("; "));
    let mut links = Links::new(base, &id, warnings);
    for (role, name, href) in usual(row, css).chain(extras(row, css)) {
        links.add(role, &name, href);
    }
    meeting.page_url = href(row, css, DETAILS).and_then(|href| links.page("Meeting details", href));
    let documents = links.end();
    let names = documents.iter().map(|document| (EvidenceSource::Document, Some(document.name.as_str())));
    // What stands where a link would be may have none: "Cancelled" in place of an agenda.
    let unlinked: Vec<String> = row.select(&css.named).map(label).collect();
    let unlinked = unlinked.iter().map(|text| (EvidenceSource::StatusField, Some(text.as_str())));
    let fields = [
        (EvidenceSource::StatusField, state),
        (EvidenceSource::Title, Some(meeting.title.as_str())),
        (EvidenceSource::Time, meeting.time_text.as_deref()),
        (EvidenceSource::Location, meeting.location.as_deref()),
        (EvidenceSource::Comment, topic.as_deref()),
        (EvidenceSource::Comment, below.as_deref()),
    ];
    (meeting.status, meeting.status_evidence) =
        status::read(&fields.into_iter().chain(unlinked).chain(names).collect::<Vec<_>>());
    publish(&mut meeting, documents);
    Some(meeting)
}

/// The page's own number, another one than the API's, and the GUID, which is the same.
fn identity<'a>(row: ElementRef<'a>, css: &'a Css) -> Option<(&'a str, Option<&'a str>)> {
    let addresses = [DETAILS, "hypiCal", AGENDA, MINUTES].into_iter().filter_map(|ending| href(row, css, ending));
    let (number, href) = addresses.filter_map(|href| Some((number_after(href, "ID=")?, href))).next()?;
    Some((number, after(href, "GUID=")))
}

/// The agenda and the minutes. Their place says what they are, unless their own words say that they are something else: "Notice
/// of Cancellation".
fn usual<'a>(row: ElementRef<'a>, css: &'a Css) -> impl Iterator<Item = (DocumentRole, String, &'a str)> {
    let places = [(DocumentRole::Agenda, "Agenda", AGENDA), (DocumentRole::Minutes, "Minutes", MINUTES)];
    places.into_iter().filter_map(move |(role, usual, end)| {
        let link = link(row, css, end)?;
        let name = Some(label(link)).filter(|name| !name.is_empty()).unwrap_or_else(|| usual.to_owned());
        let role = match DocumentRole::of_name(&name) {
            DocumentRole::Packet => DocumentRole::Packet,
            DocumentRole::Notice if !name.to_lowercase().contains("agenda") => DocumentRole::Notice,
            _ => role,
        };
        Some((role, name, link.attr("href")?))
    })
}

/// The documents that a city chose to show besides: the packet, an agenda for screen readers, a notice, an annex.
fn extras<'a>(row: ElementRef<'a>, css: &'a Css) -> impl Iterator<Item = (DocumentRole, String, &'a str)> {
    row.select(&css.links).filter_map(|link| {
        let (id, href) = (link.attr("id")?, link.attr("href")?);
        let kind = &id[id.rfind("hyp")?..];
        let is_extra = [AGENDA, MINUTES, "hypExtra", "hypAccessible"].iter().any(|start| kind.starts_with(start));
        let name = label(link);
        let role = match DocumentRole::of_name(&name) {
            DocumentRole::Other if kind.contains("Packet") => DocumentRole::Packet,
            role => role,
        };
        (is_extra && kind != AGENDA && kind != MINUTES).then_some((role, name, href))
    })
}

/// The word behind a name in an address.
fn after<'a>(href: &'a str, name: &str) -> Option<&'a str> {
    let rest = &href[href.find(name)? + name.len()..];
    let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len())];
    (1..=64).contains(&word.len()).then_some(word)
}
