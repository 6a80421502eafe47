//! The words that call a meeting off or move it, and what around them says otherwise. Pure.

use crate::civic::{
    model::{EvidenceSource, MeetingStatus},
    vendor::{clock, text},
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
    let has = |list: &[&str]| all.iter().any(|token| list.contains(token));
    // A comment may speak of one item: "item 5 has been cancelled". Of the meeting speaks what names it, or begins with the word.
    let begins = clauses(&lower).any(|clause| tokens(clause).first().is_some_and(|word| is_word(word)));
    if is_comment && has(&["item", "items"]) && !has(&["meeting"]) && !begins {
        return false;
    }
    if is_deferred(source, &all, words) || is_called_off(source, &lower, words) {
        return true;
    }
    if source != EvidenceSource::Document && (is_not_held(&lower, words) || is_moved(text, &all, words)) {
        return true;
    }
    let is_reinstated =
        all.ends_with(&["meeting", "reinstated"]) && !all.ends_with(&["prior", "meeting", "reinstated"]);
    !is_reinstated
        && clauses(&lower).any(|clause| {
            let tokens = tokens(clause);
            (0..tokens.len()).any(|at| {
                words.contains(&tokens[at])
                    && (!is_comment || has(&["meeting"]) || is_said_of_the_meeting(&tokens, at))
                    && !denied(is_comment.then_some(&all), &tokens, at)
                    && !is_left(text, &tokens, at)
            })
        })
}

fn tokens(lower: &str) -> Vec<&str> {
    text::words(lower).collect()
}

/// Words across a dash, a colon or a bracket don't belong together: "Notice of Cancellation - Board of Trustees".
fn clauses(lower: &str) -> impl Iterator<Item = &str> {
    let ends = ['.', ',', ';', ':', '!', '?', '*', '(', ')', '[', ']', '/', '\u{2013}', '\u{2014}'];
    lower.split(ends).flat_map(|clause| clause.split(" - "))
}

/// In a comment that doesn't name the meeting a noun may be of its subject: "Oversight - Student Loan Cancellation".
fn is_said_of_the_meeting(tokens: &[&str], at: usize) -> bool {
    let (before, rest) = (&tokens[..at], &tokens[at + 1..]);
    match tokens[at] {
        "recess" => match before.last() {
            None => matches!(rest, [] | ["until" | "to" | "till", ..]),
            Some(word) => rest.is_empty() && ["in", "summer", "holiday", "council", "winter"].contains(word),
        },
        noun if NOUNS.contains(&noun) => {
            let leads = ["of", "see", "attached", "reflect", "to"];
            let follows = before.last().is_none_or(|word| leads.contains(word) || BODIES.contains(word));
            rest.first() == Some(&"notice") || (follows && (rest.first() != Some(&"of") || is_of_a_body(rest)))
        }
        _ => true,
    }
}

/// "of the regular session", "of June 9".
fn is_of_a_body(rest: &[&str]) -> bool {
    rest.iter().any(|token| BODIES.contains(token) || token.starts_with(|c: char| c.is_ascii_digit()))
}

/// What denies the status word at this place of a clause. `comment`: the words of all the comment that it stands in.
fn denied(comment: Option<&Vec<&str>>, tokens: &[&str], at: usize) -> bool {
    let (word, rest) = (tokens[at], &tokens[at + 1..]);
    let before = without_auxiliaries(&tokens[..at]);
    is_negated(before, before.len() < at)
        || is_anothers(before)
        || comment.is_some_and(|all| goes_on_without(all, before))
        || is_condition(&tokens[..at])
        || (rest.first() == Some(&"if") && is_condition(rest))
        || match word {
            "recess" => {
                matches!(tokens[..at].last(), Some(&("the" | "will" | "may" | "to" | "shall")))
                    || matches!(rest.first(), Some(&("appointments" | "policy" | "hall" | "committee")))
            }
            // It goes on then.
            "recessed" => rest.iter().take(3).any(|token| *token == "meeting"),
            noun if NOUNS.contains(&noun) => {
                is_name(before, rest) || (comment.is_some() && rest.first() == Some(&"of") && !is_of_a_body(rest))
            }
            _ => false,
        }
}

/// "Abatement & Cancellation Board"; not "Meeting Cancellation Board of Trustees".
fn is_name(before: &[&str], rest: &[&str]) -> bool {
    let is_named = before.last().is_some_and(|word| !BODIES.contains(word) && !["notice", "of"].contains(word));
    match rest.first() {
        Some(&("appointments" | "policy")) => true,
        Some(&("board" | "committee" | "commission")) => is_named,
        _ => false,
    }
}

/// "rescheduled from March 4", which this meeting is the new day of; unless the text says to which day.
fn is_left(text: &str, tokens: &[&str], at: usize) -> bool {
    matches!(tokens[at], "rescheduled" | "postponed" | "recessed")
        && tokens.get(at + 1) == Some(&"from")
        && moved_to(text).is_none()
}

/// Also without another status: "may be cancelled or rescheduled".
fn without_auxiliaries<'a, 'b>(mut tokens: &'a [&'b str]) -> &'a [&'b str] {
    loop {
        tokens = match tokens {
            [before @ .., "be" | "been" | "being" | "is" | "are" | "was" | "were" | "has" | "have" | "yet" | "the"] => {
                before
            }
            [before @ .., word, "or"] if is_word(word) || NOUNS.contains(word) => before,
            _ => return tokens,
        }
    }
}

/// "has not been cancelled", "isn't", "may be", "no longer", "subject to", "un-cancelled".
fn is_negated(before: &[&str], is_passive: bool) -> bool {
    let may = ["may", "might", "could", "can", "would"];
    let is = |list: &[&str]| before.last().is_some_and(|word| list.contains(word));
    is(&["not", "never", "cannot", "un", "previously"])
        // "12 May Cancelled" is a day.
        || (is_passive && is(&may))
        || [["no", "longer"], ["subject", "to"]].iter().any(|phrase| before.ends_with(phrase))
        || matches!(before, [.., "isn" | "wasn" | "hasn" | "aren" | "weren" | "haven", "t"])
}

/// "if the meeting is cancelled"; not "if you have questions".
fn is_condition(tokens: &[&str]) -> bool {
    let at = tokens.iter().position(|word| matches!(*word, "if" | "unless"));
    at.is_some_and(|at| !matches!(tokens.get(at + 1), Some(&("you" | "questions" | "any" | "otherwise"))))
}

/// "in lieu of the cancelled meeting", "replacement for cancelled June 2 meeting".
fn is_anothers(before: &[&str]) -> bool {
    before.ends_with(&["lieu", "of"])
        || before.ends_with(&["replacement", "for"])
        || matches!(before.last(), Some(&("replaces" | "replacing")))
}

/// "Live stream cancelled", "in-person meeting cancelled, join by Zoom".
fn goes_on_without(all: &[&str], before: &[&str]) -> bool {
    let elsewhere = ["virtual", "virtually", "zoom", "online", "remote", "remotely", "webex", "electronic"];
    (before.ends_with(&["in", "person", "meeting"]) && all.iter().any(|word| elsewhere.contains(word)))
        || (matches!(before.last(), Some(&("stream" | "livestream" | "broadcast" | "webcast")))
            && !before.contains(&"meeting"))
}

/// New York writes it where the time would be. Elsewhere the word is somebody's name: "Deferred Compensation Board".
fn is_deferred(source: EvidenceSource, tokens: &[&str], words: &[&str]) -> bool {
    matches!(source, EvidenceSource::Time | EvidenceSource::StatusField)
        && words.contains(&"postponed")
        && tokens.contains(&"deferred")
}

/// "City Council Meeting - No Meeting" as a title; "No Meeting" as all of a document's name, or a clause of its own; "There is
/// no meeting today". Not within one: "no meeting minutes", "no meeting at City Hall".
fn is_called_off(source: EvidenceSource, lower: &str, words: &[&str]) -> bool {
    let (all, phrase) = (tokens(lower), ["no", "meeting"]);
    let begins = all.starts_with(&phrase) && all.get(2) != Some(&"minutes");
    let in_a_clause = || {
        clauses(lower).map(tokens).any(|clause| {
            let there = [["there", "is"].as_slice(), &["there", "was"], &["there", "will", "be"]];
            let clause = there.iter().find_map(|there| clause.strip_prefix(*there)).unwrap_or(&clause);
            let ends = ["today", "tonight", "this", "due", "scheduled", "held"];
            matches!(clause, ["no", "meeting", rest @ ..] if rest.first().is_none_or(|word| ends.contains(word)))
        })
    };
    words.contains(&"cancelled")
        && match source {
            EvidenceSource::Title => all.ends_with(&phrase) || begins || in_a_clause(),
            EvidenceSource::Document => all == phrase || all == ["no", "meeting", "pdf"],
            _ => in_a_clause(),
        }
}

/// "The meeting will not be held"; not "will not be held at City Hall", nor "the closed session will not be held".
fn is_not_held(lower: &str, words: &[&str]) -> bool {
    let held: [&[&str]; 2] = [&["will", "not", "be", "held"], &["will", "not", "take", "place"]];
    let ends = |rest: &[&str]| matches!(rest, [] | ["today" | "tonight"] | ["due", "to", "lack" | "no", ..]);
    words.contains(&"cancelled")
        && clauses(lower).map(tokens).any(|clause| {
            (1..clause.len()).any(|at| {
                let (before, rest) = clause.split_at(at);
                let of_it = before.ends_with(&["meeting"]) && !before.ends_with(&["pre", "meeting"]);
                let by_them = matches!(before, [.., "council" | "board" | "commission" | "committee"]);
                (of_it && held.iter().find_map(|phrase| rest.strip_prefix(*phrase)).is_some_and(ends))
                    || (by_them && rest.strip_prefix(&["will", "not", "meet"]).is_some_and(ends))
            })
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

/// The whole date behind "rescheduled to" and the like: right behind it, and not "due to the June 9 election".
pub(super) fn moved_to(text: &str) -> Option<Date> {
    let lower = text.to_lowercase();
    let moved = ["rescheduled", "recessed", "postponed", "continued", "moved", "deferred"]
        .iter()
        .find_map(|word| lower.find(word))?;
    // Letters whose small form is longer may shift the place: then there is no date at worst.
    let rest = text.get(moved..)?;
    rest.match_indices(" to ").find_map(|(at, to)| {
        let is_reason = rest[..at].to_lowercase().ends_with("due");
        clock::leading_date(&rest[at + to.len()..]).filter(|_| !is_reason)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::read, *};
    use EvidenceSource::{Comment, Document, Location, StatusField, Time, Title};
    use MeetingStatus::{Cancelled, Postponed, Recessed, Rescheduled, Scheduled};

    fn status(source: EvidenceSource, text: &str) -> MeetingStatus {
        read(&[(source, Some(text))]).0
    }

    const CALLED_OFF: &[(EvidenceSource, &str, MeetingStatus)] = &[
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
        (Location, "This meeting will not take place", Cancelled),
        (Comment, "Council will not meet tonight", Cancelled),
        (Comment, "Hearing cancelled due to lack of quorum", Cancelled),
        (Comment, "June 9 cancelled due to election", Cancelled),
        (Comment, "CITY COUNCIL CANCELED FOR JUNETEENTH", Cancelled),
        (Comment, "Hearing rescheduled to June 16, 2026", Rescheduled),
        (Comment, "Council recessed to June 10", Recessed),
        (Comment, "See attached cancellation", Cancelled),
        (Comment, "Cancellation of regular session", Cancelled),
        (Comment, "Postponement of the hearing to June 16", Postponed),
        (Title, "Cancellation Board of Zoning Appeals", Cancelled),
        (Document, "Meeting Cancellation Commission on Aging", Cancelled),
        (Title, "Regular Meeting 12 May Cancelled", Cancelled),
        (Comment, "Meeting postponed due to the June 9, 2026 primary election", Postponed),
        (Comment, "In-person meeting cancelled due to lack of quorum", Cancelled),
        (Comment, "Meeting and live stream cancelled", Cancelled),
        (Title, "CANCELLED if you have questions call the clerk", Cancelled),
        (Comment, "Meeting cancelled. Prior meeting reinstated", Cancelled),
        (Comment, "Council is in recess", Recessed),
        (Comment, "No meeting scheduled", Cancelled),
        (Title, "City Council - NO MEETING (Holiday)", Cancelled),
        (Comment, "No items - cancelled", Cancelled),
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
    ];

    #[test]
    fn each_field_can_call_a_meeting_off() {
        for (source, text, want) in CALLED_OFF {
            assert_eq!(status(*source, text), *want, "{text}");
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
            (Comment, "Meeting moved to Zoom due to COVID-19, effective June 1, 2026"),
            (Comment, "Meeting moved to Room 5 until June 30, 2026"),
            (Comment, "Closed session will not be held"),
            (Comment, "Council will not meet this summer"),
            (Comment, "The pre-meeting will not be held"),
            (Comment, "Meeting recessed from June 2, 2026"),
            (Comment, "Meetings may be cancelled or rescheduled"),
            (Comment, "In-person meeting cancelled; join by Zoom"),
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
