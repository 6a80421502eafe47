//! `ViewPublisher.php`: upcoming and archived meetings in one page, without a filter and without an end.
//!
//! Each city has a layout of its own. What they share: a meeting is a row of a table, one cell of it is a whole date, and
//! the viewers' addresses hold its numbers. Columns and classes only help.

use super::{
    ids::{CLIP, EVENT, is_of_item, number, opened},
    united::united,
};
use crate::civic::{
    model::{DocumentRole, EvidenceSource, Parsed, ParsedMeeting, SourceMeetingId, Warning, WarningCode, WebUrl},
    vendor::{
        ParseError, clock,
        html::{Page, label, selector, visible},
        links::{Links, publish},
        rows::{is_plausible, listing, warn},
        status,
    },
};
use jiff::civil::{Date, Time};
use scraper::{ElementRef, Selector};
use std::collections::{BTreeSet, HashSet};

/// Rows of one page that are read: the largest archives that are known have 1,500.
const MAX_ROWS: usize = 20_000;
/// What is told of an upcoming row whose meeting has begun.
const GOES_ON: &str = "the meeting goes on: its row has no date now";
/// Cells of a row that are read.
const MAX_CELLS: usize = 40;

/// Parses a page. Links are relative to `base`, or to what the page says.
///
/// # Errors
/// When the bytes are no such page. A row that can't be used is a warning.
pub fn parse_archive(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let page = Page::read(bytes, base)?;
    let reader = Reader::new(&page);
    // Some layouts write the name as the row's heading.
    let (rows, cells) = (selector("tr"), selector("td, th"));
    let (mut values, mut warnings, mut listed) = (Vec::new(), Vec::new(), 0_usize);
    let mut read = HashSet::new();
    for row in page.all(&rows) {
        // A table may lay out the cell of a meeting that was read.
        let outer =
            row.ancestors().find(|node| node.value().as_element().is_some_and(|element| element.name() == "tr"));
        if outer.is_some_and(|outer| read.contains(&outer.id())) {
            read.insert(row.id());
            continue;
        }
        let cells: Vec<ElementRef<'_>> = direct(row, &cells);
        let Some(found) = reader.row(row, &cells, &mut warnings) else { continue };
        if found.is_some() {
            read.insert(row.id());
        }
        listed += 1;
        if listed > MAX_ROWS {
            warn(&mut warnings, WarningCode::TooManyRows, "the page has more rows than are read", None);
            break;
        }
        values.extend(found);
    }
    if listed == 0 && (!is_empty_archive(&page) || shows_viewers(&page)) {
        return Err(ParseError::Schema("a row of meetings (class listingRow or listItem)"));
    }
    if listed > 0 && values.is_empty() && warnings.iter().any(|warning| warning.message != GOES_ON) {
        return Err(ParseError::Schema("a date, in any of its rows"));
    }
    let values = united(values, &mut warnings);
    Ok(listing(values, warnings))
}

/// A row's own cells: a layout may put whole tables into one.
fn direct<'a>(row: ElementRef<'a>, cells: &'a Selector) -> Vec<ElementRef<'a>> {
    row.child_elements().filter(|cell| cells.matches(cell)).take(MAX_CELLS).collect()
}

/// "Currently there are no archived videos": the page is one of ours and lists nothing.
fn is_empty_archive(page: &Page) -> bool {
    page.all(&selector("table.listingTable, #GranicusMainViewContent, #granicus, .listingTable")).next().is_some()
}

/// Agendas that are linked, in a layout that has no rows.
fn shows_viewers(page: &Page) -> bool {
    page.all(&selector("a[href*='AgendaViewer.php'], a[href*='clip_id='], a[href*='/player/']")).next().is_some()
}

struct Reader<'a> {
    base: Option<&'a WebUrl>,
    links: Selector,
    choices: Selector,
    rows: Selector,
    numbers: Selector,
    own: Option<WebUrl>,
}

impl<'a> Reader<'a> {
    fn new(page: &'a Page) -> Self {
        let links = selector("a");
        // The viewers' links have no scheme and name the site: it is what all others are relative to.
        let own = page.all(&links).find_map(|link| {
            let href = address(link);
            let https = WebUrl::parse("https://unknown.invalid/").ok().filter(|_| href.contains("Viewer.php"))?;
            WebUrl::join(&https, href).ok().filter(|url| !url.as_str().starts_with(https.as_str()))
        });
        Self {
            base: page.base(),
            links,
            choices: selector("option[value*='Viewer.php']"),
            rows: selector("tr"),
            numbers: selector("[data-event-id]"),
            own,
        }
    }

    /// None: it is no meeting's row. None within: it is one that can't be used, and a warning tells it.
    fn row(
        &self,
        row: ElementRef<'_>,
        cells: &[ElementRef<'_>],
        warnings: &mut Vec<Warning>,
    ) -> Option<Option<ParsedMeeting>> {
        let is_listed = cells.iter().any(|cell| is_item(*cell) && cell.attr("colspan").is_none());
        if self.lays_out(row, is_listed) {
            return None;
        }
        let ids = self.ids(row, is_listed);
        if cells.len() < 2 {
            let (id, _) = ids.filter(|_| is_item(row))?;
            let message = "the row has one cell, in which nothing can be told apart";
            warn(warnings, WarningCode::MissingDate, message, Some(id.as_str()));
            return Some(None);
        }
        if ids.is_none() && !is_listed {
            return None;
        }
        let mut texts: Vec<String> = cells.iter().map(|cell| visible(*cell)).collect();
        let name_at = column(cells, "name").unwrap_or(0);
        if let Some(text) = texts.get_mut(name_at) {
            *text = self.without_player(cells[name_at], text).to_owned();
        }
        let found = dated(cells, &texts, name_at);
        let first_id = ids.as_ref().map(|ids| ids.0.as_str());
        let Some((date_at, date, time)) = found else {
            let goes_on = texts.iter().any(|text| text.eq_ignore_ascii_case("in progress"));
            let message = if goes_on { GOES_ON } else { "the row has no date that can be read" };
            warn(warnings, WarningCode::MissingDate, message, first_id);
            return Some(None);
        };
        if !is_plausible(date, first_id, warnings) {
            return Some(None);
        }
        let title_at = if date_at == name_at { usize::from(date_at == 0) } else { name_at };
        let title = texts.get(title_at).cloned().unwrap_or_default();
        let is_anonymous = ids.is_none();
        let (id, aliases) = ids.unwrap_or_else(|| (anonymous(&title, date, time), Vec::new()));
        if is_anonymous {
            warn(
                warnings,
                WarningCode::Unnumbered,
                "the row has no number yet: its name and time stand for it",
                Some(id.as_str()),
            );
        }
        let mut meeting = ParsedMeeting::new(id, title, date);
        (meeting.aliases, meeting.local_time) = (aliases, time);
        meeting.time_text = time.map(|_| texts[date_at].clone());
        // A meeting that didn't take place may have a recording of nothing.
        let is_recorded = !texts.iter().any(|text| is_no_time_at_all(text));
        // A clerk's words stand beside the day, or in place of a link.
        let beside = (0..cells.len()).filter(|at| *at != title_at && *at != date_at).map(|at| cells[at]);
        let beside = beside.filter(|cell| cell.select(&self.links).next().is_none()).map(label);
        // What is said of another day's meeting is not said of this one; a recess is a part of one.
        let beside =
            beside.filter(|text| !clock::names_another_day(text, date) && !text.eq_ignore_ascii_case("recess"));
        let told: Vec<String> = std::iter::once(texts[date_at].clone()).chain(beside).collect();
        self.documents(row, (is_recorded, &told), &mut meeting, warnings);
        Some(Some(meeting))
    }

    /// "play City Council": a button beside the name. A name that is itself the link stays.
    fn without_player<'t>(&self, cell: ElementRef<'_>, text: &'t str) -> &'t str {
        let Some(button) = cell.select(&self.links).find(|link| shows_player(*link)) else { return text };
        let words = label(button);
        if !["play", "video", "watch", "listen", "audio"].contains(&words.to_lowercase().as_str()) {
            return text;
        }
        let is_last =
            button.next_siblings().all(|node| node.value().as_text().is_some_and(|text| text.trim().is_empty()));
        let name = if is_last { text.strip_suffix(words.as_str()) } else { text.strip_prefix(words.as_str()) };
        name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(text)
    }

    /// A table that only lays out the page has rows of meetings in its cells; a table that lays out a cell of a meeting has rows
    /// that are none.
    fn lays_out(&self, row: ElementRef<'_>, is_listed: bool) -> bool {
        let mut ids = BTreeSet::new();
        let mut is_of_meetings = |row: ElementRef<'_>| {
            is_item(row) || row.child_elements().any(is_item) || {
                ids.extend(self.ids(row, false).map(|(id, _)| id));
                ids.len() > 1
            }
        };
        let mut inner = row.select(&self.rows).peekable();
        inner.peek().is_some() && (!is_listed || inner.any(&mut is_of_meetings))
    }

    /// The first number is the row's own; a row that has both was an event and became a clip.
    fn ids(&self, row: ElementRef<'_>, is_listed: bool) -> Option<(SourceMeetingId, Vec<SourceMeetingId>)> {
        let (mut event, mut clip) = (None, None);
        for link in row.select(&self.links).chain(row.select(&self.choices)) {
            let texts = [link.attr("href"), link.attr("onclick"), link.attr("value")].into_iter().flatten();
            for text in texts.filter(|text| is_listed || !is_of_item(text)) {
                event = event.or_else(|| number(text, EVENT));
                clip = clip.or_else(|| number(text, CLIP));
            }
        }
        let written = row.select(&self.numbers).find_map(|element| element.attr("data-event-id"));
        let event = event
            .or_else(|| written.filter(|id| !id.is_empty() && id.len() < 19 && id.bytes().all(|b| b.is_ascii_digit())));
        let name = |kind: &str, number: &str| SourceMeetingId(format!("{kind}-{}", number.to_lowercase()));
        match (event.map(|id| name("event", id)), clip.map(|id| name("clip", id))) {
            (Some(event), clip) => Some((event, clip.into_iter().collect())),
            (None, Some(clip)) => Some((clip, Vec::new())),
            (None, None) => None,
        }
    }

    fn documents(
        &self,
        row: ElementRef<'_>,
        (is_recorded, told): (bool, &[String]),
        meeting: &mut ParsedMeeting,
        warnings: &mut Vec<Warning>,
    ) {
        let id = meeting.vendor_id.as_str().to_owned();
        let mut links = Links::new(self.base.or(self.own.as_ref()), &id, warnings);
        let mut recording = None;
        for link in row.select(&self.links) {
            let name = label(link);
            if shows_player(link) {
                // An event that goes on now has a player too.
                let clip = addresses(link).into_iter().find_map(|text| number(text, CLIP));
                let shown = |clip: &str| if name.is_empty() { format!("clip {clip}") } else { name.clone() };
                recording = recording.or_else(|| clip.map(shown));
                continue;
            }
            let href = address(link);
            let role = role(href, &name);
            if (role != DocumentRole::Other || is_document(href))
                && !href.starts_with('#')
                && !href.starts_with("javascript:")
            {
                links.add(role, &name, href);
            }
        }
        for choice in row.select(&self.choices) {
            let (href, name) = (choice.attr("value").unwrap_or_default(), visible(choice));
            links.add(role(href, &name), &name, href);
        }
        let documents = links.end();
        let told = told.iter().map(|text| (EvidenceSource::Comment, Some(text.as_str())));
        let texts: Vec<_> =
            std::iter::once((EvidenceSource::Title, Some(meeting.title.as_str()))).chain(told).collect();
        let recording = recording.as_deref().filter(|_| is_recorded);
        (meeting.status, meeting.status_evidence) = status::of_published(&texts, &documents, recording);
        publish(meeting, documents);
    }
}

/// Where a link leads, and what it does.
fn addresses<'a>(link: ElementRef<'a>) -> [&'a str; 2] {
    [link.attr("href").unwrap_or_default(), link.attr("onclick").unwrap_or_default()]
}

fn shows_player(link: ElementRef<'_>) -> bool {
    addresses(link).iter().any(|text| text.contains("MediaPlayer.php") || text.contains("/player/"))
}

/// An element that a layout marks as a meeting's.
fn is_item(element: ElementRef<'_>) -> bool {
    element.value().classes().any(|class| class.starts_with("listItem") || class == "listingRow")
}

/// Files, and what shows them; other links of a row lead anywhere.
fn is_document(href: &str) -> bool {
    let lower = href.to_ascii_lowercase();
    let path = lower.split(['?', '#']).next().unwrap_or_default();
    [".pdf", ".doc", ".docx", ".rtf", ".txt"].iter().any(|ending| path.ends_with(ending))
        || ["/documentcenter/view/", "metaviewer.php", "documentviewer.php"].iter().any(|viewer| lower.contains(viewer))
}

/// By the viewer that shows it, unless it calls itself a notice; else by its name.
fn role(href: &str, name: &str) -> DocumentRole {
    let named = DocumentRole::of_name(name);
    match href {
        _ if named == DocumentRole::Notice && !name.to_lowercase().contains("agenda") => named,
        _ if href.contains("AgendaViewer.php") => DocumentRole::Agenda,
        _ if href.contains("MinutesViewer.php") => DocumentRole::Minutes,
        _ => named,
    }
}

/// Where a link leads, by its script where it has no address.
fn address(link: ElementRef<'_>) -> &str {
    let href = link.attr("href").unwrap_or_default();
    opened(href, link.attr("onclick").unwrap_or_default()).unwrap_or(href)
}

/// A duration of nothing: "00h 00m", "0 hr 00 min", "00:00:00".
fn is_no_time_at_all(text: &str) -> bool {
    let units: String = text.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
    let is_duration = matches!(units.as_str(), "hm" | "hms" | "hrmin" | "hrsmin" | "hrsmins") || text == "00:00:00";
    is_duration && !text.contains(|c: char| matches!(c, '1'..='9'))
}

/// The cell that says so of itself, in `headers`.
fn column(cells: &[ElementRef<'_>], name: &str) -> Option<usize> {
    let is = |header: &str| header.eq_ignore_ascii_case(name) || header.eq_ignore_ascii_case(&format!("event{name}"));
    // The first word only: a cell of the date names the meeting's cell after it.
    cells
        .iter()
        .position(|cell| cell.attr("headers").and_then(|headers| headers.split_whitespace().next()).is_some_and(is))
}

/// The cell of the date, or the first one with a whole date, the name's cell last: names may hold dates of other days.
fn dated(cells: &[ElementRef<'_>], texts: &[String], name_at: usize) -> Option<(usize, Date, Option<Time>)> {
    let read = |at: usize| {
        let (date, rest) = clock::typed_date(texts.get(at)?)?;
        let rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        Some((at, date, clock::time(rest.strip_prefix("at ").unwrap_or(rest)).known()))
    };
    let others = (0..texts.len()).filter(|at| *at != name_at);
    column(cells, "date").into_iter().chain(others).chain([name_at]).find_map(read)
}

/// The last resort of an identity, until the vendor gives a number.
fn anonymous(title: &str, date: Date, time: Option<Time>) -> SourceMeetingId {
    let time = time.map(|time| time.strftime("T%H%M").to_string()).unwrap_or_default();
    let words: Vec<String> = title
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        // A meeting that is called off stays the same one.
        .filter(|word| !word.is_empty() && !status::is_word(word))
        .map(str::to_owned)
        .collect();
    let (name, _) = crate::civic::vendor::text::cut(words.join("-"), 80);
    SourceMeetingId(format!("unnumbered-{date}{time}-{name}"))
}
