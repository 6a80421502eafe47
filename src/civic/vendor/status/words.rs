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
/// Those of them that are nouns: a name or a subject may hold one, "Cancellation of tax liens".
const NOUNS: &[&str] = &["cancellation", "cancelation", "postponement", "recess"];
/// Who meets.
const BODIES: &[&str] = &["meeting", "session", "council", "board", "committee", "commission", "hearing"];

/// Whether a word of small letters says what became of a meeting.
pub(in crate::civic::vendor) fn is_word(word: &str) -> bool {
    !NOUNS.contains(&word) && WORDS.iter().any(|(_, words)| words.contains(&word))
}

/// Whether a text of this kind tells the status that has these words.
pub(super) fn tells(source: EvidenceSource, text: &str, words: &[&str]) -> bool {
    let lower = text.to_lowercase().replace("re-scheduled", "rescheduled");
    let all = tokens(&lower);
    let is_comment = source == EvidenceSource::Comment;
    // A comment may be the meeting's subject, "Oversight - Student Loan Cancellation", or speak of one item. Of the meeting
    // speaks what names it, or begins with the word.
    let begins = all.first().is_some_and(|word| is_word(word));
    let has = |list: &[&str]| all.iter().any(|token| list.contains(token));
    let names_it = has(&["meeting"]);
    if is_comment && has(&["item", "items"]) && !names_it && !begins {
        return false;
    }
    is_deferred(source, &all, words)
        || is_called_off(source, &all, words)
        || (source != EvidenceSource::Document && (is_not_held(&all, words) || is_moved(text, &all, words)))
        || (!all.ends_with(&["reinstated"])
            && clauses(&lower).any(|clause| {
                let tokens = tokens(clause);
                (0..tokens.len()).any(|at| {
                    words.contains(&tokens[at])
                        && (!is_comment || names_it || is_said_of_the_meeting(&tokens, at))
                        && !denied(is_comment, &tokens, at)
                        && !is_left(text, &tokens, at)
                })
            }))
}

fn tokens(lower: &str) -> Vec<&str> {
    lower.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).collect()
}

/// Words across a dash, a colon or a bracket don't belong together: "Notice of Cancellation - Board of Trustees".
fn clauses(lower: &str) -> impl Iterator<Item = &str> {
    let ends = ['.', ',', ';', ':', '!', '?', '*', '(', ')', '[', ']', '/', '\u{2013}', '\u{2014}'];
    lower.split(ends).flat_map(|clause| clause.split(" - "))
}

/// In a comment that doesn't name the meeting: a clause that begins or ends with the word, or says that something is so; a
/// noun only as a notice of it.
fn is_said_of_the_meeting(tokens: &[&str], at: usize) -> bool {
    let (before, rest) = (&tokens[..at], &tokens[at + 1..]);
    match tokens[at] {
        "recess" => before.is_empty() && matches!(rest, [] | ["until" | "to" | "till", ..]),
        noun if NOUNS.contains(&noun) => {
            before.ends_with(&["notice", "of"]) || (before.is_empty() && rest.first() != Some(&"of"))
        }
        _ => before.is_empty() || rest.is_empty() || without_auxiliaries(before).len() < before.len(),
    }
}

/// What denies the status word at this place of a clause.
fn denied(is_comment: bool, tokens: &[&str], at: usize) -> bool {
    let (word, rest) = (tokens[at], &tokens[at + 1..]);
    let before = without_auxiliaries(&tokens[..at]);
    is_negated(before)
        || is_anothers(is_comment, before)
        || before.iter().any(|word| matches!(*word, "if" | "unless"))
        || rest.first() == Some(&"if")
        || match word {
            "recess" => {
                matches!(tokens[..at].last(), Some(&("the" | "will" | "may" | "to" | "shall")))
                    || matches!(rest.first(), Some(&("appointments" | "policy" | "hall" | "committee")))
            }
            // It goes on then.
            "recessed" => rest.iter().take(3).any(|token| *token == "meeting"),
            noun if NOUNS.contains(&noun) && !before.ends_with(&["notice", "of"]) => {
                let is_name =
                    matches!(rest.first(), Some(&("board" | "committee" | "commission" | "appointments" | "policy")));
                // As a title it is the meeting's all the same.
                let is_subject =
                    is_comment && rest.first() == Some(&"of") && !rest.iter().any(|token| BODIES.contains(token));
                is_name || is_subject
            }
            _ => false,
        }
}

/// "rescheduled from March 4", which this meeting is the new day of; unless the text says to which day.
fn is_left(text: &str, tokens: &[&str], at: usize) -> bool {
    matches!(tokens[at], "rescheduled" | "postponed") && tokens.get(at + 1) == Some(&"from") && moved_to(text).is_none()
}

fn without_auxiliaries<'a, 'b>(mut tokens: &'a [&'b str]) -> &'a [&'b str] {
    while let [before @ .., "be" | "been" | "being" | "is" | "are" | "was" | "were" | "has" | "have" | "yet" | "the"] =
        tokens
    {
        tokens = before;
    }
    tokens
}

/// "has not been cancelled", "isn't", "may be", "no longer", "subject to", "un-cancelled".
fn is_negated(before: &[&str]) -> bool {
    let negations = ["not", "never", "may", "might", "could", "can", "cannot", "would", "un", "previously"];
    before.last().is_some_and(|word| negations.contains(word))
        || [["no", "longer"], ["subject", "to"]].iter().any(|phrase| before.ends_with(phrase))
        || matches!(before, [.., "isn" | "wasn" | "hasn" | "aren" | "weren" | "haven", "t"])
}

/// "in lieu of the cancelled meeting", "replacement for cancelled June 2 meeting"; in a comment "in-person meeting cancelled",
/// "live stream cancelled", without which the meeting goes on.
fn is_anothers(is_comment: bool, before: &[&str]) -> bool {
    before.ends_with(&["lieu", "of"])
        || before.ends_with(&["replacement", "for"])
        || matches!(before.last(), Some(&("replaces" | "replacing")))
        || (is_comment
            && (before.ends_with(&["in", "person", "meeting"])
                || matches!(before.last(), Some(&("stream" | "livestream" | "broadcast" | "webcast")))))
}

/// New York writes it where the time would be. Elsewhere the word is somebody's name: "Deferred Compensation Board".
fn is_deferred(source: EvidenceSource, tokens: &[&str], words: &[&str]) -> bool {
    matches!(source, EvidenceSource::Time | EvidenceSource::StatusField)
        && words.contains(&"postponed")
        && tokens.contains(&"deferred")
}

/// "City Council Meeting - No Meeting" as a title; "No Meeting" as all of a document's name or a place; "There is no meeting
/// today". Not within it: "no meeting minutes", "no meeting at City Hall".
fn is_called_off(source: EvidenceSource, tokens: &[&str], words: &[&str]) -> bool {
    let phrase = ["no", "meeting"];
    let begins = tokens.starts_with(&phrase) && tokens.get(2) != Some(&"minutes");
    words.contains(&"cancelled")
        && match source {
            EvidenceSource::Title => tokens.ends_with(&phrase) || begins,
            EvidenceSource::Document => tokens == phrase || tokens == ["no", "meeting", "pdf"],
            _ => matches!(
                tokens.strip_prefix(&["there", "is"]).unwrap_or(tokens),
                ["no", "meeting"] | ["no", "meeting", "today" | "tonight" | "this" | "due", ..]
            ),
        }
}

/// "The meeting will not be held"; not "will not be held at City Hall".
fn is_not_held(tokens: &[&str], words: &[&str]) -> bool {
    let phrases: [&[&str]; 3] = [&["not", "be", "held"], &["not", "take", "place"], &["not", "meet"]];
    words.contains(&"cancelled")
        && (1..tokens.len()).any(|at| {
            let rest = phrases.iter().find_map(|phrase| tokens[at..].strip_prefix(*phrase));
            tokens[at - 1] == "will"
                && matches!(rest, Some([] | ["due" | "because" | "today" | "tonight" | "this", ..]))
        })
}

/// "Meeting has been moved to June 16, 2026": only with the day, because a room changes too.
fn is_moved(text: &str, tokens: &[&str], words: &[&str]) -> bool {
    let told = |word: &str, status: &str| {
        let at = tokens.windows(2).position(|two| two == [word, "to"]);
        words.contains(&status) && at.is_some_and(|at| without_auxiliaries(&tokens[..at]).ends_with(&["meeting"]))
    };
    (told("moved", "rescheduled") || told("deferred", "postponed")) && moved_to(text).is_some()
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
            (Location, "This meeting will not take place this week", Cancelled),
            (Comment, "Rescheduled from June 9, 2026 to June 16, 2026", Rescheduled),
            (Comment, "Meeting moved to June 16, 2026", Rescheduled),
            (Time, "Deferred to June 16, 2026", Postponed),
            (Title, "Notice of Cancellation - Board of Trustees", Cancelled),
            (Title, "NOTICE OF CANCELLATION - Commission on Aging", Cancelled),
            (Title, "Cancellation: Board Meeting", Cancelled),
            (Title, "Postponement - Committee of the Whole", Postponed),
            (Title, "Cancellation of June 9 Regular Council Meeting", Cancelled),
            (Title, "Cancellation of City Council", Cancelled),
            (Document, "Notice of Cancellation of Regular Session", Cancelled),
            (Location, "Via Zoom - CANCELLED", Cancelled),
            (Location, "Live webcast: CANCELLED", Cancelled),
            (Title, "In-Person Meeting - Cancelled", Cancelled),
            (Title, "City Council via Zoom CANCELLED", Cancelled),
            (Title, "Special Meeting (in lieu of June 2) CANCELLED", Cancelled),
            (Location, "If unable to attend call. MEETING CANCELLED", Cancelled),
            (Comment, "If you planned to attend, note that the meeting is cancelled", Cancelled),
            (Comment, "Whether in person or online, this meeting is canceled", Cancelled),
            (Comment, "CANCELLED No quorum", Cancelled),
            (Comment, "Cancelled/No quorum", Cancelled),
            (Comment, "Cancelled with no new date", Cancelled),
            (Comment, "CANCELLATION NOTICE POSTED", Cancelled),
            (Comment, "Postponed indefinitely", Postponed),
            (Comment, "Cancelled - no items", Cancelled),
            (Comment, "CANCELLED due to no agenda items", Cancelled),
            (Comment, "Meeting cancelled from lack of quorum", Cancelled),
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
            (Comment, "The meeting will not be held at City Hall but at the Library"),
            (Location, "Meeting will not be held at City Hall. See Library."),
            (Comment, "The council will not meet on June 16"),
            (Comment, "No meeting in person, join by Zoom"),
            (Comment, "No meeting at City Hall - virtual only"),
            (Comment, "The public hearing was moved to June 16, 2026"),
            (Comment, "Public comment deadline moved to June 8, 2026"),
            (Comment, "Meeting location moved to City Hall as of June 1, 2026"),
            (Comment, "Second reading deferred to June 23, 2026"),
            (Comment, "Rescheduled from June 2 due to holiday"),
            (Comment, "Meeting rescheduled from June 2 due to lack of quorum"),
            (Location, "City Hall (rescheduled from 6/2 due to snow)"),
            (Comment, "Meeting cancelled if no quorum"),
            (Comment, "The meeting cannot be cancelled"),
            (Comment, "Recess Hall, 1 Main St"),
            (Title, "July 8, 2020 Recessed Meeting Agenda"),
            (Title, "Recessed Joint Meeting"),
            (Title, "Deferred Compensation Board"),
            (Comment, "Rescheduled from March 4"),
            (Comment, "This meeting is not cancelled"),
            (Comment, "Item 5 has been cancelled"),
            (Comment, "Oversight - Student Loan Cancellation"),
            (Comment, "Cancellation of tax liens"),
            (Comment, "Oversight - Playground recess policy in public schools"),
            (Comment, "Oversight - Rent Postponement"),
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
