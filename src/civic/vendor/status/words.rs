//! The words that call a meeting off or move it, and what around them says otherwise. Pure.

use crate::civic::{
    model::{EvidenceSource, MeetingStatus},
    vendor::clock,
};
use jiff::civil::Date;

/// The words, the strongest status first: "cancelled and rescheduled" is cancelled.
pub(super) const WORDS: &[(MeetingStatus, &[&str])] = &[
    (MeetingStatus::Cancelled, &["cancelled", "canceled", "cancellation", "cancelation"]),
    (MeetingStatus::Rescheduled, &["rescheduled"]),
    (MeetingStatus::Postponed, &["postponed", "postponement"]),
    (MeetingStatus::Recessed, &["recessed", "recess"]),
];
/// Those of them that are nouns: somebody's name may hold one, "Cancellation of tax liens".
const NOUNS: &[&str] = &["cancellation", "cancelation", "postponement", "recess"];
/// What goes on behind a status word that speaks of the meeting: "postponed until Friday", "cancelled due to snow".
const GOES_ON: &[&str] = &[
    "to", "until", "till", "due", "by", "per", "for", "because", "as", "on", "at", "and", "in", "from", "today",
    "tonight",
];

/// Whether a word of small letters calls a meeting off, or moves it.
pub(in crate::civic::vendor) fn is_word(word: &str) -> bool {
    WORDS.iter().any(|(_, words)| words.contains(&word))
}

/// New York writes it where the time would be. Elsewhere the word is somebody's name: "Deferred Compensation Board".
fn is_deferred(source: EvidenceSource, tokens: &[&str], words: &[&str]) -> bool {
    matches!(source, EvidenceSource::Time | EvidenceSource::StatusField)
        && words.contains(&"postponed")
        && tokens.contains(&"deferred")
}

/// "City Council Meeting - No Meeting" as a title, or "No Meeting" as all of the name of what is published. Not within it: "no
/// meeting minutes".
fn is_called_off(source: EvidenceSource, tokens: &[&str], words: &[&str]) -> bool {
    let phrase = ["no", "meeting"];
    let begins = tokens.starts_with(&phrase) && tokens.get(2) != Some(&"minutes");
    words.contains(&"cancelled")
        && match source {
            EvidenceSource::Title => tokens.ends_with(&phrase) || begins,
            EvidenceSource::Document => tokens == phrase || tokens == ["no", "meeting", "pdf"],
            // "There is no meeting today", and not "no meeting minutes yet".
            _ => tokens.windows(2).enumerate().any(|(at, two)| {
                two == phrase && tokens.get(at + 2).is_none_or(|word| GOES_ON.contains(word) || *word == "this")
            }),
        }
}

/// Whether a text of this kind tells the status that has these words.
pub(super) fn tells(source: EvidenceSource, text: &str, words: &[&str]) -> bool {
    let lower = text.to_lowercase().replace("re-scheduled", "rescheduled");
    let tokens = tokens(&lower);
    if source != EvidenceSource::Document && (is_not_held(&tokens, words) || is_moved(text, &tokens, words)) {
        return true;
    }
    if source == EvidenceSource::Comment && !is_called_off(source, &tokens, words) && !tokens.contains(&"meeting") {
        return !tokens.iter().any(|token| matches!(*token, "item" | "items")) && is_about_a_meeting(&lower, words);
    }
    is_deferred(source, &tokens, words)
        || is_called_off(source, &tokens, words)
        || tokens.iter().enumerate().any(|(i, token)| words.contains(token) && !denied(&tokens, i))
}

fn tokens(lower: &str) -> Vec<&str> {
    lower.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).collect()
}

/// A comment may be the meeting's subject, "Oversight - Student Loan Cancellation", or speak of one item. Where it doesn't
/// name the meeting, a clause must end with the word, or go on as a sentence does; with a noun, be a notice of it.
fn is_about_a_meeting(lower: &str, words: &[&str]) -> bool {
    // A day's comma ends no clause.
    let lower = lower.replace(", 2", " 2");
    let clauses = lower.split(['.', ',', ';', ':', '!', '*', '(', ')', '[', ']', '\u{2013}', '\u{2014}']);
    clauses.flat_map(|clause| clause.split(" - ")).any(|clause| {
        let tokens = tokens(clause);
        tokens.iter().enumerate().any(|(at, token)| {
            let (before, after) = (&tokens[..at], tokens.get(at + 1).copied());
            let goes_on =
                after.is_none_or(|word| GOES_ON.contains(&word) || word.starts_with(|c: char| c.is_ascii_digit()));
            let is_notice = before.is_empty() || before.ends_with(&["notice", "of"]);
            words.contains(token) && goes_on && (!NOUNS.contains(token) || is_notice) && !denied(&tokens, at)
        })
    })
}

/// What denies the status word at this place, in its own words or in those around it.
fn denied(tokens: &[&str], at: usize) -> bool {
    let (word, rest) = (tokens[at], &tokens[at + 1..]);
    let before = without_auxiliaries(&tokens[..at]);
    is_negated(before)
        || is_anothers(before)
        || tokens.contains(&"reinstated")
        // Which this meeting is the new day of.
        || (rest.first() == Some(&"from") && !rest.contains(&"to"))
        || match word {
            // "Cancellation Board", "Cancellation of tax liens".
            _ if NOUNS.contains(&word) && is_of_something(rest) => true,
            // "after the recess", "the council will recess for lunch".
            "recess" => matches!(tokens[..at].last(), Some(&("the" | "will" | "may" | "to" | "shall"))),
            // It goes on then.
            "recessed" => rest.iter().take(3).any(|token| *token == "meeting"),
            _ => false,
        }
}

fn without_auxiliaries<'a, 'b>(mut tokens: &'a [&'b str]) -> &'a [&'b str] {
    while let [before @ .., "be" | "been" | "being" | "is" | "are" | "was" | "were" | "has" | "have" | "yet"] = tokens {
        tokens = before;
    }
    tokens
}

/// "has not been cancelled", "isn't", "may be", "no longer", "subject to", "un-cancelled", "if the meeting is cancelled".
fn is_negated(before: &[&str]) -> bool {
    let standing = ["not", "never", "may", "might", "could", "can", "would", "un", "previously"];
    before.last().is_some_and(|word| standing.contains(word))
        || [["no", "longer"], ["subject", "to"]].iter().any(|phrase| before.ends_with(phrase))
        || matches!(before, [.., "isn" | "wasn" | "hasn" | "aren" | "weren" | "haven", "t"])
        || before.iter().any(|word| matches!(*word, "if" | "unless" | "whether"))
}

/// "in lieu of the cancelled meeting", "replacement for cancelled June 2 meeting"; "in-person meeting cancelled", "live stream
/// cancelled": that of which the meeting goes on without.
fn is_anothers(before: &[&str]) -> bool {
    let near = &before[before.len().saturating_sub(4)..];
    near.iter().any(|token| matches!(*token, "lieu" | "replaces" | "replacing" | "replacement"))
        || near.ends_with(&["in", "person", "meeting"])
        || matches!(
            near.last(),
            Some(&("stream" | "livestream" | "zoom" | "broadcast" | "webcast" | "reception" | "lunch"))
        )
}

fn is_of_something(rest: &[&str]) -> bool {
    matches!(rest.first(), Some(&("board" | "committee" | "commission" | "appointments" | "policy")))
        || (rest.first() == Some(&"of") && !rest.iter().take(4).any(|token| *token == "meeting"))
}

/// "The meeting will not be held"; not "will not be held in person".
fn is_not_held(tokens: &[&str], words: &[&str]) -> bool {
    let phrases: [&[&str]; 3] = [&["not", "be", "held"], &["not", "take", "place"], &["not", "meet"]];
    words.contains(&"cancelled")
        && (0..tokens.len()).any(|at| {
            let rest = phrases.iter().find_map(|phrase| tokens[at..].strip_prefix(*phrase));
            at > 0
                && tokens[at - 1] == "will"
                && rest.is_some_and(|rest| rest.first().is_none_or(|word| *word != "in" && GOES_ON.contains(word)))
        })
}

/// "Meeting moved to June 16, 2026", "deferred to 6/16/2026": only with the day, because other things are moved too.
fn is_moved(text: &str, tokens: &[&str], words: &[&str]) -> bool {
    let told = |word: &str, status: &str| words.contains(&status) && tokens.windows(2).any(|two| two == [word, "to"]);
    (told("moved", "rescheduled") || told("deferred", "postponed"))
        && !tokens.iter().any(|token| matches!(*token, "item" | "items"))
        && moved_to(text).is_some()
}

/// The whole date behind "rescheduled to" and the like.
pub(super) fn moved_to(text: &str) -> Option<Date> {
    let lower = text.to_lowercase();
    let moved = ["rescheduled", "recessed", "postponed", "continued", "moved", "deferred"]
        .iter()
        .find_map(|word| lower.find(word))?;
    // Letters whose small form is longer may shift the place: then there is no date at worst.
    let rest = text.get(moved..)?;
    clock::typed_date(rest.get(rest.find(" to ")?..)?).map(|(date, _)| date)
}

#[cfg(test)]
mod tests {
    use super::{super::read, *};
    use EvidenceSource::{Comment, Document, Location, StatusField, Time, Title};
    use MeetingStatus::{Cancelled, Postponed, Recessed, Rescheduled, Scheduled};

    fn status(source: EvidenceSource, text: &str) -> MeetingStatus {
        read(&[(source, Some(text))]).0
    }

    #[test]
    fn each_field_can_call_a_meeting_off() {
        for (source, text, want) in [
            (StatusField, "Cancelled", Cancelled),
            (Title, "CANCELED - City Council", Cancelled),
            (Title, "Notice of Cancellation", Cancelled),
            (Title, "City Council Meeting - No Meeting", Cancelled),
            (Title, "NO MEETING - Labor Day", Cancelled),
            (Document, "NO MEETING", Cancelled),
            (Comment, "There is no meeting", Cancelled),
            (Location, "NO MEETING", Cancelled),
            (Comment, "Due to no quorum the meeting is cancelled", Cancelled),
            (Comment, "CANCELLED. If you have questions, call the clerk", Cancelled),
            (Comment, "The meeting will not be held", Cancelled),
            (Location, "This meeting will not take place on June 9", Cancelled),
            (Comment, "Rescheduled from June 9, 2026 to June 16, 2026", Rescheduled),
            (Comment, "Meeting moved to June 16, 2026", Rescheduled),
            (Time, "Deferred to June 16, 2026", Postponed),
            (Location, "City Hall *** CANCELLED ***", Cancelled),
            (Comment, "Recessed to 09/29/20 at 1:30 p.m.", Recessed),
            (Comment, "Postponed", Postponed),
            (Document, "Notice of Postponement", Postponed),
            (Time, "Deferred", Postponed),
            (Comment, "Rescheduled to Friday", Rescheduled),
            (Comment, "CANCELED 2:00 PM", Cancelled),
            (Comment, "Revised 3/4 - Cancelled due to snow", Cancelled),
            (Comment, "NOTICE OF CANCELLATION", Cancelled),
            (Comment, "Meeting Cancelled.", Cancelled),
            (Comment, "Recess until 2 p.m.", Recessed),
            (Title, "Notice of Cancelation", Cancelled),
            (Title, "Re-scheduled - Council", Rescheduled),
            (Title, "Cancellation of Meeting", Cancelled),
            (Comment, "The meeting and all its items are cancelled", Cancelled),
            (Comment, "Cancelled and rescheduled to Friday", Cancelled),
        ] {
            assert_eq!(status(source, text), want, "{text}");
        }
    }

    #[test]
    fn what_speaks_of_something_else_calls_nothing_off() {
        for (source, text) in [
            (StatusField, "Final-revised"),
            (Title, "Committee on Consolidation"),
            (Document, "August 4 - No Meeting"),
            (Document, "No meeting minutes yet"),
            (Comment, "No meeting minutes yet"),
            (Comment, "This meeting has not been cancelled"),
            (Comment, "This meeting isn't cancelled"),
            (Comment, "The meeting is no longer cancelled"),
            (Comment, "Meeting un-cancelled"),
            (Comment, "If the meeting is cancelled, a notice will be posted"),
            (Location, "City Hall. Meetings may be cancelled without notice"),
            (Comment, "This meeting is subject to cancellation"),
            (Comment, "Live stream canceled; meeting in person only"),
            (Comment, "Replacement for cancelled June 2 meeting"),
            (Comment, "The meeting will recess for lunch"),
            (Comment, "The meeting will not be held in person"),
            (Comment, "Meeting moved to Room 5"),
            (Title, "July 8, 2020 Recessed Meeting Agenda"),
            (Title, "Recessed Joint Meeting"),
            (Title, "Deferred Compensation Board"),
            (Comment, "Rescheduled from March 4"),
            (Comment, "This meeting is not cancelled"),
            (Comment, "Item 5 has been cancelled"),
            (Comment, "Oversight - Student Loan Cancellation"),
            (Comment, "Cancellation of tax liens"),
            (Comment, "Canceled check fees"),
            (Comment, "Oversight - Playground recess policy in public schools"),
            (Comment, "Oversight - Rent Postponement"),
            (Comment, "Rescheduled bus routes hearing"),
            (Title, "Abatement & Cancellation Board"),
            (Title, "Committee on Recess Appointments"),
            (Title, "Special Meeting (in lieu of cancelled July 1 meeting)"),
            (Title, "Previously cancelled meeting of June 1"),
            (Title, "CANCELLED - Council (meeting reinstated)"),
            (Comment, "In-person meeting cancelled; meeting will be held virtually"),
        ] {
            assert_eq!(status(source, text), Scheduled, "{text}");
        }
    }
}
