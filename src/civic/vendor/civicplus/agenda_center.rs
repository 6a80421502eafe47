//! `AgendaCenter`, its search, and `UpdateCategoryList`: rows of agendas under the names of boards.
//!
//! Tokens and row ids of a page change at each request. What stays is `_MMDDYYYY-ID`, in each link to a file.

use crate::civic::{
    model::{DocumentRole, EvidenceSource, Parsed, ParsedMeeting, SourceMeetingId, WarningCode, WebUrl},
    vendor::{
        ParseError, clock,
        html::{Page, selector, visible},
        links::{Links, publish},
        rows::{is_plausible, listing, warn},
        status,
    },
};
use jiff::civil::Date;
use scraper::{ElementRef, Selector};
use std::collections::{BTreeMap, btree_map::Entry};

/// Rows of one page that are read. A board has some fifty a year.
const MAX_ROWS: usize = 20_000;

/// Parses a page or a part of one. Links are relative to `base`, or to what the page says of itself.
///
/// # Errors
/// When the bytes are no such page. A row that can't be used is a warning.
pub fn parse_agenda_center(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let page = Page::read(bytes, base)?;
    let css = Css::new();
    let (mut meetings, mut warnings): (BTreeMap<String, ParsedMeeting>, _) = (BTreeMap::new(), Vec::new());
    let mut body = String::new();
    let mut rows = 0_usize;
    for element in page.all(&css.parts) {
        match element.value().name() {
            "h2" => {
                let name = visible(element);
                name.trim_start_matches(|c: char| !c.is_alphanumeric()).clone_into(&mut body);
            }
            _ => {
                rows += 1;
                if rows > MAX_ROWS {
                    warn(&mut warnings, WarningCode::TooManyRows, "the page has more rows than are read", None);
                    break;
                }
                let Some((id, date)) = identity(element, &css) else {
                    warn(&mut warnings, WarningCode::MissingId, "a row has no link to a file", None);
                    continue;
                };
                match meetings.entry(id) {
                    // The search repeats what the boards list.
                    Entry::Occupied(_) => {}
                    Entry::Vacant(place) => {
                        let id = place.key().clone();
                        if !is_plausible(date, Some(&id), &mut warnings) {
                            continue;
                        }
                        let mut links = Links::new(page.base(), &id, &mut warnings);
                        let meeting = meeting(element, &css, &mut links, (&id, date), &body);
                        place.insert(finished(meeting, links));
                    }
                }
            }
        }
    }
    let is_center = page.all(&css.center).next().is_some();
    if rows == 0 && (!is_center || page.all(&css.files).next().is_some()) {
        return Err(ParseError::Schema("a list of agendas (class catAgendaRow)"));
    }
    if rows > 0 && meetings.is_empty() {
        return Err(ParseError::Schema("a link to a file, in any of its rows"));
    }
    let mut listed = listing(meetings.into_values().collect(), warnings);
    listed.warnings.dedup();
    Ok(listed)
}

struct Css {
    parts: Selector,
    center: Selector,
    files: Selector,
    links: Selector,
    note: Selector,
    heading: Selector,
}

impl Css {
    fn new() -> Self {
        Self {
            parts: selector("h2, tr.catAgendaRow"),
            center: selector(
                "table[summary='List of Agendas'], #AgendaCenterContent, ul.years, form[action*=AgendaCenter], [id^=agendaCenter]",
            ),
            files: selector("a[href*='/ViewFile/']"),
            links: selector("a[href]"),
            note: selector("td > p, td > div > p"),
            heading: selector("h3, h4"),
        }
    }
}

/// `_MMDDYYYY-ID` of the first link that has one.
fn identity(row: ElementRef<'_>, css: &Css) -> Option<(String, Date)> {
    row.select(&css.links).find_map(|link| {
        let href = link.attr("href")?;
        let name = href[href.find("/ViewFile/")?..].rsplit('/').next()?;
        let name = name.split(['?', '#']).next()?.strip_prefix('_')?;
        let (day, number) = name.split_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
        if day.len() != 8 || !digits(day) || !digits(number) {
            return None;
        }
        let at = |range: std::ops::Range<usize>| day[range].parse::<i16>().ok();
        let date = Date::new(at(4..8)?, i8::try_from(at(0..2)?).ok()?, i8::try_from(at(2..4)?).ok()?).ok()?;
        Some((format!("_{day}-{number}"), date))
    })
}

fn meeting(
    row: ElementRef<'_>,
    css: &Css,
    links: &mut Links<'_>,
    (id, date): (&str, Date),
    body: &str,
) -> ParsedMeeting {
    let heading = row.select(&css.heading).next().map(visible).unwrap_or_default();
    let note = row.select(&css.note).map(visible).find(|text| is_name(text));
    // The heading is the day and when it was posted: only where nothing else stands for a name.
    let named = note.or_else(|| Some(body.to_owned()).filter(|text| !text.is_empty()));
    let title = named.unwrap_or(heading);
    let mut meeting = ParsedMeeting::new(SourceMeetingId(id.to_owned()), title, date);
    body.clone_into(&mut meeting.body_name);
    // "Sep 8, 2020 — Posted Sep 2, 2020 2:38 PM": the time is that of the posting, and no time of the meeting's.
    // Some boards write theirs into the title.
    meeting.local_time = clock::time_within(&meeting.title);
    meeting.time_text = meeting.local_time.map(|_| meeting.title.clone());
    for link in row.select(&css.links) {
        let href = link.attr("href").unwrap_or_default();
        if !href.contains("/ViewFile/") {
            continue;
        }
        let role = match href {
            _ if href.contains("packet=true") => DocumentRole::Packet,
            _ if href.contains("/ViewFile/Minutes/") || href.contains("/ViewFile/ArchivedMinutes/") => {
                DocumentRole::Minutes
            }
            _ => DocumentRole::Agenda,
        };
        let name = match role {
            DocumentRole::Packet => "Packet",
            DocumentRole::Minutes => "Minutes",
            _ if href.contains("html=true") => "Agenda (HTML)",
            _ => "Agenda",
        };
        links.add(role, name, href);
    }
    meeting
}

/// Where a board writes no title, the file's kind stands in its place.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !["agenda", "agenda packet", "packet", "minutes"].iter().any(|kind| text.eq_ignore_ascii_case(kind))
}

fn finished(mut meeting: ParsedMeeting, links: Links<'_>) -> ParsedMeeting {
    let documents = links.end();
    let texts = [(EvidenceSource::Title, Some(meeting.title.as_str()))];
    (meeting.status, meeting.status_evidence) = status::of_published(&texts, &documents, None);
    publish(&mut meeting, documents);
    meeting
}
