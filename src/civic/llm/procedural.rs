//! Items that only say that there is a meeting: not worth a summary, whatever is attached to them.

/// What such an item begins with, in small letters and without punctuation.
const PHRASES: &[&str] = &[
    "call to order",
    "roll call",
    "call of the roll",
    "pledge of allegiance",
    "salute to the flag",
    "flag salute",
    "invocation",
    "opening prayer",
    "moment of silence",
    "land acknowledgement",
    "land acknowledgment",
    "determination of quorum",
    "establish quorum",
    "establishment of quorum",
    "adjournment",
    "adjourn",
    "recess",
    "approval of minutes",
    "approval of the minutes",
    "approve minutes",
    "approve the minutes",
    "approve meeting minutes",
    "minutes of",
    "minutes",
    "approval of agenda",
    "approval of the agenda",
    "adoption of agenda",
    "adoption of the agenda",
    "approve the agenda",
];

/// What may follow without making it business: when, of whom, and small words.
const HARMLESS: &[&str] = &[
    "a",
    "adjourned",
    "allegiance",
    "and",
    "april",
    "at",
    "attendance",
    "august",
    "board",
    "by",
    "call",
    "city",
    "commission",
    "committee",
    "council",
    "december",
    "february",
    "flag",
    "for",
    "from",
    "held",
    "in",
    "invocation",
    "january",
    "joint",
    "july",
    "june",
    "march",
    "may",
    "mayor",
    "meeting",
    "meetings",
    "members",
    "minutes",
    "november",
    "october",
    "of",
    "on",
    "order",
    "pledge",
    "pm",
    "am",
    "quorum",
    "regular",
    "roll",
    "september",
    "session",
    "special",
    "study",
    "the",
    "to",
    "town",
    "work",
    "workshop",
];

/// The phrase that makes a title procedure; none: it may be business.
#[must_use]
pub fn procedural(title: &str) -> Option<&'static str> {
    let lower = title.to_lowercase();
    let mut words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    // `1.`, `A)`, `II.`: the number that some vendors print in the title.
    if words.first().is_some_and(|word| is_number(word) && words.len() > 1) {
        words.remove(0);
    }
    let matches = |phrase: &&&str| {
        let begins: Vec<&str> = phrase.split(' ').collect();
        words.strip_prefix(&begins[..]).is_some_and(|rest| rest.iter().all(|word| is_harmless(word)))
    };
    PHRASES.iter().find(matches).copied()
}

fn is_harmless(word: &str) -> bool {
    HARMLESS.contains(&word) || word.chars().all(|c| c.is_ascii_digit())
}

fn is_number(word: &str) -> bool {
    let roman = |c| matches!(c, 'i' | 'v' | 'x');
    word.len() == 1
        || word.len() <= 3 && word.chars().all(|c| c.is_ascii_digit())
        || word.len() <= 4 && word.chars().all(roman)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn procedure_is_told_from_business() {
        for title in [
            "Call to Order",
            "1. CALL TO ORDER",
            "II. Roll Call",
            "Pledge of Allegiance",
            "Call to Order and Roll Call",
            "Approval of the Minutes of the Regular Meeting of June 3, 2026",
            "Approve Minutes - City Council Work Session 3/8/2026",
            "Minutes of May 5",
            "Adjournment.",
            "Flag Salute and Invocation",
        ] {
            assert!(procedural(title).is_some(), "{title}");
        }
        for title in [
            "",
            "Order of the Mayor closing Main Street",
            "Adjournment of the hearing on the zoning of 5 Mill Road",
            "Call to artists for the library mural",
            "Approval of the minutes and a lease with Acme",
            "Recess schedule of the elementary schools",
            "An ordinance on the minutes of closed sessions",
            "Roll call vote procedures: ordinance 12",
        ] {
            assert_eq!(procedural(title), None, "{title}");
        }
    }
}
