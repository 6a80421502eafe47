//! Titles and texts of items, out of lines.

use super::{
    lines::{Gap, Line},
    words,
};

/// Longest title, in characters; what is longer goes on in the text.
const MAX_TITLE: usize = 240;
/// Shortest part of a paragraph that is a title of its own.
const MIN_SENTENCE: usize = 24;
/// Longest text of an item, in characters: the printed words about it, not its reports.
const MAX_BODY: usize = 4_000;

/// An item's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prose {
    /// One line; empty when there is none.
    pub(super) title: String,
    /// What else is printed about it, on one line.
    pub(super) body: String,
    /// The first paragraph, by which the item is known again.
    pub(super) first: String,
    /// The page that a table of contents names.
    pub(super) contents_page: Option<u32>,
    /// The line in which it ends.
    pub(super) last_line: usize,
}

/// Reads an item: `rest` stands behind its number in the line before `from`; other items and headings begin at `end`.
pub(super) fn prose(rest: &str, lines: &[Line], from: usize, end: usize, width: usize) -> Prose {
    let first_body = title_end(rest, lines, from, end, width);
    let mut title = vec![rest];
    title.extend(lines[from..first_body].iter().map(|line| line.text.as_str()));
    let (paragraph, contents_page) = without_leader(&joined(title.into_iter()));
    let print_begins = (first_body..end).find(|&at| ends_text(lines, at)).unwrap_or(end);
    let body = joined(lines[first_body..print_begins].iter().map(|line| line.text.as_str()));
    let (title, more) = split(&paragraph);
    let body =
        [more.as_str(), body.as_str()].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(" ");
    let last_line = print_begins.saturating_sub(1).max(from.saturating_sub(1));
    Prose { title, body: cut(&body, MAX_BODY), first: paragraph, contents_page, last_line }
}

fn ends_text(lines: &[Line], at: usize) -> bool {
    lines[at].gap != Gap::None && words::is_small_print(&lines[at].text)
}

/// Beyond this a paragraph is no title any more.
const MAX_TITLE_BYTES: usize = 2_000;

/// The line behind the title's paragraph.
fn title_end(rest: &str, lines: &[Line], from: usize, end: usize, width: usize) -> usize {
    let mut so_far = rest.to_owned();
    for at in from..end {
        // A title is never so long, and a table of a thousand lines must not be copied for each of them.
        if so_far.len() > MAX_TITLE_BYTES {
            return at;
        }
        let line = &lines[at];
        let previous = at.checked_sub(1).map(|before| &lines[before]);
        let is_apart = match line.gap {
            Gap::None => false,
            Gap::Blank => true,
            // A line that is not full ends a paragraph, whether or not the page ends there too.
            Gap::Page => previous.is_none_or(|line| line.end < width / 5 * 4),
        };
        let is_short = previous.is_some_and(|line| line.end < width / 10 * 6);
        let is_over = is_apart || words::is_label(&line.text) || ends(&so_far, &line.text, is_short);
        if is_over && !so_far.is_empty() {
            return at;
        }
        if begins_in_capitals(&so_far, &line.text) {
            return at + 1;
        }
        so_far = format!("{so_far} {}", line.text);
        so_far = so_far.trim_start().to_owned();
    }
    end
}

/// A title in capitals ends where the capitals do, another one where its line was left short.
fn ends(title: &str, next: &str, is_short: bool) -> bool {
    if words::is_set(title) {
        let mixed = words::capitals(next).is_some_and(|share| share < 50);
        return title.split_whitespace().count() > 1 && mixed && !begins_in_capitals(title, next);
    }
    // "Recommended by Water System" and "25-1234 CD 5" say nothing yet.
    let says = title.contains(' ') && title.chars().filter(|c| c.is_alphabetic()).count() > 5;
    is_short && next.starts_with(char::is_uppercase) && says && !words::is_label(title)
}

/// The capitals of a title end within this line.
fn begins_in_capitals(title: &str, next: &str) -> bool {
    let head: Vec<&str> = next.split_whitespace().take(2).collect();
    let letters = head.iter().all(|word| words::capitals(word) == Some(100));
    words::is_set(title) && head.len() == 2 && letters && !words::is_set(next)
}

/// Joins lines: words that were divided at a hyphen stay together.
fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for line in lines {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let divided = out.ends_with('-')
            && !out.ends_with(" -")
            && line.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit());
        if !out.is_empty() && !line.is_empty() && !divided {
            out.push(' ');
        }
        out.push_str(&line);
    }
    out
}

/// `Lease ........ 12` is a line of a table of contents.
fn without_leader(text: &str) -> (String, Option<u32>) {
    let trimmed = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let page = text[trimmed.len()..].parse().ok();
    let dots = trimmed.trim_end_matches(['.', '…', ' ', '_', '·']);
    let leader = trimmed[dots.len()..].chars().filter(|c| *c != ' ').count();
    let is_leader = leader > 3 || trimmed[dots.len()..].contains('…');
    if is_leader { (dots.to_owned(), page) } else { (text.to_owned(), None) }
}

/// A title of one line, and what follows it in its paragraph.
fn split(paragraph: &str) -> (String, String) {
    let tidy = |text: &str| {
        text.trim().trim_end_matches([':', ';', ',', '-', '–', '—', ' ']).trim_start_matches(['*', ' ']).to_owned()
    };
    if let Some((title, more)) = [" - ", " – ", " — "].iter().find_map(|dash| in_capitals(paragraph, dash)) {
        return (tidy(title), more.trim().to_owned());
    }
    if paragraph.chars().count() <= MAX_TITLE {
        return (tidy(paragraph), String::new());
    }
    let limit = paragraph.char_indices().nth(MAX_TITLE).map_or(paragraph.len(), |(at, _)| at);
    let head = &paragraph[..limit];
    let sentence =
        head.match_indices(". ").map(|(at, _)| at + 1).find(|at| *at >= MIN_SENTENCE && !is_abbreviation(&head[..*at]));
    match sentence {
        Some(at) => (tidy(&paragraph[..at]), paragraph[at..].trim().to_owned()),
        None => {
            let at = head.rfind(' ').unwrap_or(limit);
            // The text has the whole of it: its first half alone would mislead.
            (format!("{}…", tidy(&paragraph[..at])), paragraph.to_owned())
        }
    }
}

/// `REVIEW OF BUDGETS - Council to receive this report.`
fn in_capitals<'a>(paragraph: &'a str, dash: &str) -> Option<(&'a str, &'a str)> {
    let cuts = paragraph.match_indices(dash).map(|(at, _)| (&paragraph[..at], &paragraph[at + dash.len()..]));
    cuts.filter(|(title, more)| {
        let is_title = words::is_set(title) && title.contains(' ') && title.chars().count() <= MAX_TITLE;
        is_title && words::capitals(more).is_some_and(|share| share < 60)
    })
    .last()
}

/// `No.`, `St.`, `Inc.` end no sentence.
fn is_abbreviation(head: &str) -> bool {
    let word = head.trim_end_matches('.').rsplit(' ').next().unwrap_or_default();
    word.chars().count() < 4 || word.ends_with(|c: char| c.is_ascii_digit())
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::agenda::lines::read;

    fn of(text: &str) -> Prose {
        let lines = read(text);
        let rest = lines[0].text.clone();
        prose(&rest, &lines, 1, lines.len(), 60)
    }

    #[test]
    fn a_paragraph_is_the_title_and_the_rest_the_text() {
        let read = of(
            "Lease of the old\n  library\n\n  The tenant pays.\n  Monthly.\n\nI hereby certify that\nthis was posted",
        );
        assert_eq!(
            (read.title.as_str(), read.body.as_str()),
            ("Lease of the old library", "The tenant pays. Monthly.")
        );
    }

    #[test]
    fn fields_and_the_end_of_capitals_end_a_title() {
        assert_eq!(of("Lease\nRecommendation: Approve it.").title, "Lease");
        let read = of("LEASE OF THE\nOLD LIBRARY\nThe tenant pays monthly.");
        assert_eq!((read.title.as_str(), read.body.as_str()), ("LEASE OF THE OLD LIBRARY", "The tenant pays monthly."));
    }

    #[test]
    fn a_page_ends_a_title_only_where_its_line_ends_early() {
        let full = "Lease of the old library building at the corner of Main";
        assert_eq!(of(&format!("{full}\n\u{c}and First\n")).title, format!("{full} and First"));
        assert_eq!(of("Lease\n\u{c}The tenant pays.").title, "Lease");
    }

    #[test]
    fn a_long_paragraph_gives_a_title_and_loses_nothing() {
        let read = of(&format!("Lease of the old library building. {}", "More words follow here. ".repeat(20)));
        assert_eq!(read.title, "Lease of the old library building.");
        assert!(read.body.starts_with("More words"));
        let endless = "word ".repeat(100);
        let read = of(&endless);
        assert!(read.title.ends_with('…') && read.title.chars().count() <= MAX_TITLE + 1);
        assert_eq!(read.body, endless.trim());
        assert!(of(&format!("Lease\n\n{}", "x ".repeat(9_000))).body.chars().count() <= MAX_BODY + 1);
    }

    #[test]
    fn leaders_of_a_table_of_contents_are_no_title() {
        let read = of("Lease of the library ............ 12");
        assert_eq!((read.title.as_str(), read.contents_page), ("Lease of the library", Some(12)));
        assert_eq!(of("Fiscal year 2024").title, "Fiscal year 2024");
    }

    #[test]
    fn divided_words_stay_together() {
        assert_eq!(of("Ordinance 298-\n22 on single-\nfamily homes").title, "Ordinance 298-22 on single-family homes");
    }
}
