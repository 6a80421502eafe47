//! The words by which a clerk's agenda is understood: how it opens and ends, what its sections are called, and what is
//! said in every agenda and is no business of any.

/// Names of sections, in lower case. A heading that holds one is a section however it is set.
const SECTIONS: &[&str] = &[
    "consent",
    "public hearing",
    "business",
    "communications",
    "public comment",
    "presentations",
    "proclamations",
    "ceremonial",
    "announcements",
    "reports",
    "report",
    "closed session",
    "executive session",
    "work session",
    "study session",
    "workshop",
    "action items",
    "discussion items",
    "agenda items",
    "items for",
    "items of information",
    "information items",
    "appointments",
    "resolutions",
    "ordinances",
    "motions",
    "first reading",
    "second reading",
    "third reading",
    "minutes",
    "hearings",
    "citizen",
    "audience",
    "staff items",
    "council items",
    "commission items",
    "administrative items",
    "municipal matters",
    "other matters",
    "regular agenda",
    "regular calendar",
    "open session",
    "adjourn",
];

/// A line that opens a meeting. Before it stand the city's address and how to take part.
pub(super) fn opens(text: &str) -> bool {
    let lower = text.to_lowercase();
    let begins = [
        "roll call",
        "opening ceremon",
        "open meeting",
        "opening of the meeting",
        "pledge of allegiance",
        "flag salute",
        "salute to the flag",
        "invocation",
        "moment of silence",
        "moment of reflection",
        "approval of agenda",
        "approval of the agenda",
        "approval of minutes",
        "approval of the minutes",
        "approve agenda",
        "adoption of the agenda",
        "adoption of agenda",
        "announcements/",
        "determination of quorum",
        "convene",
    ];
    let call = lower.starts_with("call") && lower.find("to order").is_some_and(|at| at < 34);
    lower.chars().count() <= 90 && (call || begins.iter().any(|word| lower.starts_with(word)))
}

/// A line that ends the meeting, and so the agenda: what follows is the city's small print, or the packet.
pub(super) fn adjourns(text: &str) -> bool {
    let lower = text.to_lowercase();
    let continues = ["closed", "executive", "study", "work session", "workshop", "recess"];
    let ends = lower.starts_with("adjourn") || lower.starts_with("motion to adjourn") || lower == "meeting adjournment";
    ends && lower.chars().count() <= 120 && !continues.iter().any(|word| lower.contains(word))
}

/// Whether a text names a usual section.
pub(super) fn is_section(text: &str) -> bool {
    let lower = text.to_lowercase();
    text.chars().count() <= 90 && SECTIONS.iter().any(|name| lower.contains(name))
}

/// Taken together, by one vote.
pub(super) fn is_consent(section: &str) -> bool {
    let lower = section.to_lowercase();
    let apart = ["removed", "pulled", "withdrawn", "end of"];
    lower.contains("consent") && !apart.iter().any(|word| lower.contains(word))
}

/// Those who are called, not what is treated.
pub(super) fn is_roll(title: &str) -> bool {
    let lower = title.to_lowercase();
    ["roll call", "attendance", "members present", "oath", "quorum", "board members"]
        .iter()
        .any(|word| lower.contains(word))
}

/// What follows belongs to the item: what staff recommends is often a list.
pub(super) fn is_cue(text: &str) -> bool {
    let lower = text.to_lowercase();
    [
        "recommend",
        "action required",
        "requested action",
        "suggested action",
        "proposed action",
        "fiscal impact",
        "resolved",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// The name of a field of an item, before its colon or alone on its line. It ends the title and is no heading.
pub(super) fn is_label(text: &str) -> bool {
    const LABELS: &[&str] = &[
        "recommendation",
        "recommended",
        "department recommendation",
        "staff recommendation",
        "staff recommends",
        "requested action",
        "suggested action",
        "proposed action",
        "action required",
        "action requested",
        "action:",
        "attachment",
        "att ",
        "exhibit",
        "staff report",
        "staff:",
        "agenda report",
        "applicant",
        "owner",
        "location:",
        "address:",
        "project location",
        "project:",
        "request:",
        "date:",
        "to:",
        "from:",
        "subject:",
        "note:",
        "please note",
        "presenter",
        "presented by",
        "presentation by",
        "memorandum from",
        "fiscal impact",
        "background",
        "discussion:",
        "summary:",
        "contact",
        "prepared by",
        "sponsor",
        "department:",
        "documents:",
        "city council district",
        "council district",
        "environmental",
        "ceqa",
        "legislative history",
        "supporting documents",
    ];
    let lower = text.to_lowercase();
    let is_file = [".pdf", ".doc", ".docx"].iter().any(|end| lower.ends_with(end));
    is_file || lower.contains("-----") || LABELS.iter().any(|label| lower.starts_with(label))
}

/// The city's small print, at the beginning of a paragraph: it ends the text of the item before it.
pub(super) fn is_small_print(text: &str) -> bool {
    const PHRASES: &[&str] = &[
        "in compliance with the americans",
        "in accordance with the americans",
        "pursuant to the americans",
        "americans with disabilities",
        "if you require",
        "i hereby certify",
        "i certify",
        "i, the undersigned",
        "this agenda was posted",
        "this agenda is posted",
        "date posted",
        "posted:",
        "materials related to an item",
        "any writings or documents",
        "any documents provided",
        "certification",
        "availability",
        "agendas and staff reports are available",
        "to access agenda",
        "notice to the public",
        "persons with disabilities",
        "if special accommodation",
        "____",
        "upon adjournment",
    ];
    let lower = text.to_lowercase();
    PHRASES.iter().any(|phrase| lower.starts_with(phrase))
}

/// A heading over advice to who wants to speak.
pub(super) fn is_advice(heading: &str) -> bool {
    let lower = heading.to_lowercase();
    [
        "guide",
        "how to",
        "instruction",
        "participat",
        "viewing option",
        "decorum",
        "rules of",
        "order of business",
        "rules for",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// How to take part, in a list that looks like one of items.
pub(super) fn is_instruction(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "http",
        "www.",
        "@",
        "zoom",
        "webinar",
        "meeting id",
        "passcode",
        "speaker card",
        "speaker slip",
        "speaker request",
        "raise hand",
        "raise your hand",
        "toll free",
        "in person -",
        "in the meeting in person",
        "the meeting in person",
        "state your name",
        "live stream",
        "cell phone",
        "dial ",
    ];
    let lower = text.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// The share of the letters that are capitals, in percent; none without three letters.
pub(super) fn capitals(text: &str) -> Option<usize> {
    let (mut letters, mut upper) = (0_usize, 0);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        upper += usize::from(c.is_uppercase());
    }
    (letters > 2).then(|| upper * 100 / letters)
}

/// Whether a text is set in capitals, but for a stray letter.
pub(super) fn is_set(text: &str) -> bool {
    capitals(text).is_some_and(|share| share >= 85)
}

/// The title of a heading: a line in capitals, or capitals before a colon or dash, or a usual name alone on its line.
pub(super) fn heading(text: &str) -> Option<&str> {
    let is_short = |text: &str| text.chars().count() <= 90 && text.split_whitespace().count() <= 12;
    let cuts = [": ", " - ", " – ", " — "];
    let cut = cuts.iter().filter_map(|cut| text.find(cut)).min().map(|at| text[..at].trim());
    let title = match cut {
        Some(before) if is_set(before) && before.chars().filter(|c| c.is_alphabetic()).count() > 3 => before,
        _ if is_set(text) => text,
        _ if is_section(text) && is_title_case(text) => text,
        _ => return None,
    };
    let title = title.trim_matches([':', '*', '-', '–', '—', '_', ' ', '.']);
    let is_none = title.eq_ignore_ascii_case("none");
    (is_short(title) && !is_none && !is_label(text) && !title.contains("__")).then_some(title)
}

/// `Consent Calendar:`, and not a sentence.
fn is_title_case(text: &str) -> bool {
    let text = text.trim_end_matches(':');
    let small = ["and", "of", "the", "for", "on", "to", "from", "by", "with", "in", "a", "or", "&", "/", "-"];
    let is_set =
        |word: &str| small.contains(&word) || word.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic());
    text.split_whitespace().count() <= 6 && !text.contains(['.', ',', ';']) && text.split_whitespace().all(is_set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_told_from_sentences_and_fields() {
        for (text, title) in [
            ("CONSENT CALENDAR", Some("CONSENT CALENDAR")),
            ("CONSENT CALENDAR: Matters listed are routine", Some("CONSENT CALENDAR")),
            ("Consent Agenda", Some("Consent Agenda")),
            ("New Business:", Some("New Business:").map(|t| t.trim_end_matches(':'))),
            ("REPORTS FROM PRIORITY AGENCIES - None", Some("REPORTS FROM PRIORITY AGENCIES")),
            ("6:00 PM - OPEN SESSION", Some("6:00 PM - OPEN SESSION")),
            ("RECOMMENDED ACTION: Approve minutes.", None),
            ("The consent calendar is voted on at once.", None),
            ("NONE", None),
            ("Jane Doe, Mayor", None),
            ("1234", None),
        ] {
            assert_eq!(heading(text), title, "{text}");
        }
    }

    #[test]
    fn an_agenda_opens_and_ends() {
        for text in ["CALL TO ORDER", "Call Recessed Meeting to Order – Chairman Davis", "Roll Call", "FLAG SALUTE"] {
            assert!(opens(text), "{text}");
        }
        for text in ["ADJOURNMENT", "Adjournment to Tuesday", "Motion to adjourn the meeting.", "ADJOURN MEETING"] {
            assert!(adjourns(text), "{text}");
        }
        for text in
            ["ADJOURN TO CLOSED SESSION TO DISCUSS THE FOLLOWING:", "Motion to adjourn to Executive Session", "Lease"]
        {
            assert!(!adjourns(text) && !opens(text), "{text}");
        }
    }

    #[test]
    fn what_was_pulled_from_consent_is_not_consent() {
        assert!(is_consent("CONSENT CALENDAR") && is_consent("Consent Agenda"));
        assert!(!is_consent("ITEMS REMOVED FROM THE CONSENT CALENDAR") && !is_consent("NEW BUSINESS"));
    }
}
