//! `AgendaCenter`, its search, and `UpdateCategoryList`: rows of agendas under the names of boards.
//!
//! Tokens and row ids of a page change at each request. What stays is `_MMDDYYYY-ID`, in each link to a file.

use crate::civic::{
    model::{DocumentRole, EvidenceSource, Parsed, ParsedMeeting, SourceMeetingId, Warning, WarningCode, WebUrl},
    vendor::{
        ParseError, clock,
        html::{Page, label, selector, visible},
        links::{Links, publish},
        rows::{is_plausible, listing, warn},
        status,
        text::words,
        twice,
    },
};
use jiff::civil::Date;
use scraper::{ElementRef, Selector};
use std::collections::BTreeMap;

/// Rows of one page that are read. A board has some fifty a year.
const MAX_ROWS: usize = 20_000;

/// Parses a page or a part of one. Links are relative to `base`, or to what the page says of itself.
///
/// # Errors
/// When the bytes are no such page. A row that can't be used is a warning.
pub fn parse_agenda_center(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let page = Page::read(bytes, base)?;
    let css = Css::new();
    // The search repeats what the boards list.
    let (mut meetings, mut warnings): (BTreeMap<String, Vec<ParsedMeeting>>, _) = (BTreeMap::new(), Vec::new());
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
                let date = day(element, &css, (&id, date), &mut warnings);
                if !is_plausible(date, Some(&id), &mut warnings) {
                    continue;
                }
                let links = Links::new(page.base(), &id, &mut warnings);
                let meeting = meeting(element, &css, links, (&id, date), &body);
                meetings.entry(id).or_default().push(meeting);
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
    let meetings = meetings.into_values().filter_map(|rows| twice::one(rows, &mut warnings)).collect();
    let mut listed = listing(meetings, warnings);
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
    told: Selector,
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
            told: selector("h3, h4, td > p, td > div > p, td.minutes"),
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

/// The day that readers see, which is that of the links unless a clerk has moved it.
fn day(row: ElementRef<'_>, css: &Css, (id, linked): (&str, Date), warnings: &mut Vec<Warning>) -> Date {
    let heading = row.select(&css.heading).next().map(visible).unwrap_or_default();
    // Behind it stands when it was posted or amended.
    let mut rest = heading.as_str();
    while let Some((date, after)) = clock::typed_date(rest) {
        if date == linked {
            return linked;
        }
        rest = after;
    }
    let printed = clock::leading_date(&heading).filter(|date| !clock::is_placeholder(*date));
    let Some(printed) = printed else { return linked };
    let message = format!("the row shows {printed}, its links another day: the shown one is taken");
    warn(warnings, WarningCode::OtherDay, &message, Some(id));
    printed
}

fn meeting(
    row: ElementRef<'_>,
    css: &Css,
    mut links: Links<'_>,
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
        let (href, name) = (link.attr("href").unwrap_or_default(), label(link));
        if let Some((role, name)) = document(href, &name) {
            links.add(role, name, href);
        }
    }
    let documents = links.end();
    // A clerk's words stand below the title, or beside the day. They may be about another day's meeting.
    let is_of_day = |text: &String| {
        let begins = text.split(' ').next().is_some_and(|word| status::is_word(&word.to_lowercase()));
        begins || !clock::names_another_day(text, date)
    };
    let told: Vec<String> = row.select(&css.told).map(visible).filter(is_of_day).collect();
    let told = told.iter().map(|text| (EvidenceSource::Comment, Some(text.as_str())));
    let texts: Vec<_> = std::iter::once((EvidenceSource::Title, Some(meeting.title.as_str()))).chain(told).collect();
    // Other files of the row are about anything.
    let own: Vec<_> = documents.iter().filter(|document| document.role != DocumentRole::Other).cloned().collect();
    (meeting.status, meeting.status_evidence) = status::of_published(&texts, &own, None);
    publish(&mut meeting, documents);
    meeting
}

/// What a link shows. Its address says it of a center's own files, which have pictures for names, unless its words call the
/// meeting off; of others, only their words do.
fn document<'a>(href: &str, name: &'a str) -> Option<(DocumentRole, &'a str)> {
    match href {
        _ if is_notice(name) => Some((DocumentRole::Notice, name)),
        _ if !href.contains("/ViewFile/") => {
            // Whatever it is called: the meeting's own agenda and minutes are files of the center.
            let is_file = href.contains("/DocumentCenter/View/") || href.to_ascii_lowercase().ends_with(".pdf");
            (is_file && !name.is_empty()).then_some((DocumentRole::Other, name))
        }
        _ if href.contains("packet=true") => Some((DocumentRole::Packet, "Packet")),
        _ if href.contains("/ViewFile/Minutes/") || href.contains("/ViewFile/ArchivedMinutes/") => {
            Some((DocumentRole::Minutes, "Minutes"))
        }
        _ if href.contains("/ViewFile/Item/") && !name.is_empty() => Some((DocumentRole::Other, name)),
        _ if href.contains("html=true") => Some((DocumentRole::Agenda, "Agenda (HTML)")),
        _ => Some((DocumentRole::Agenda, "Agenda")),
    }
}

/// "Notice of Cancellation", "Cancelled"; not "Cancelled contracts", nor "Rescheduled Council Meeting", which has an agenda.
fn is_notice(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = words(&lower);
    let of_one = |word: &str| {
        (status::is_word(word) && word != "rescheduled")
            || ["cancellation", "cancelation", "postponement", "notice", "of", "meeting"].contains(&word)
    };
    DocumentRole::of_name(name) == DocumentRole::Notice && (lower.starts_with("notice") || words.all(of_one))
}

/// Where a board writes no title, the file's kind or its day stands in its place.
fn is_name(text: &str) -> bool {
    let kind = text.to_lowercase();
    let kind = kind.trim_end_matches("(pdf)").trim();
    let mut words = kind.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let is_day = clock::typed_date(text).is_some() && words.all(clock::is_of_a_calendar);
    !kind.is_empty() && !is_day && !["agenda", "agenda packet", "packet", "minutes"].contains(&kind)
}
