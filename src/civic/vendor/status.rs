//! Cancelled, moved, interrupted: read from whatever field a clerk wrote it into.

use super::{clock, text::cut};
use crate::civic::model::{DocumentRole, Evidence, EvidenceSource, MeetingStatus, ParsedDocument};
use jiff::civil::Date;

/// Longest piece of text that is kept as evidence, in characters.
const EVIDENCE_CHARS: usize = 200;

/// The words, the strongest status first: "cancelled and rescheduled" is cancelled.
const WORDS: &[(MeetingStatus, &[&str])] = &[
    (MeetingStatus::Cancelled, &["cancelled", "canceled", "cancellation"]),
    (MeetingStatus::Rescheduled, &["rescheduled"]),
    (MeetingStatus::Postponed, &["postponed", "postponement"]),
    (MeetingStatus::Recessed, &["recessed", "recess"]),
];

/// The strongest status that any of the texts tells, with the text.
pub(super) fn read(texts: &[(EvidenceSource, Option<&str>)]) -> (MeetingStatus, Option<Evidence>) {
    for (status, words) in WORDS {
        for (source, text) in texts {
            if let Some(text) = text.filter(|text| tells(*source, text, words)) {
                let to = moved_to(text);
                let (text, _) = cut(text.to_owned(), EVIDENCE_CHARS);
                return (*status, Some(Evidence { source: *source, text, to }));
            }
        }
    }
    (MeetingStatus::Scheduled, None)
}

/// The whole date behind "rescheduled to" and the like.
fn moved_to(text: &str) -> Option<Date> {
    let lower = text.to_lowercase();
    let moved =
        ["rescheduled", "recessed", "postponed", "continued", "moved"].iter().find_map(|word| lower.find(word))?;
    // Letters whose small form is longer may shift the place: then there is no date at worst.
    let rest = text.get(moved..)?;
    clock::typed_date(rest.get(rest.find(" to ")?..)?).map(|(date, _)| date)
}

/// What the texts tell, or the names of the documents; or held, if none does and there is a recording or there are minutes.
pub(super) fn of_published(
    texts: &[(EvidenceSource, Option<&str>)],
    documents: &[ParsedDocument],
    recording: Option<&str>,
) -> (MeetingStatus, Option<Evidence>) {
    let names = documents.iter().map(|document| (EvidenceSource::Document, Some(document.name.as_str())));
    let texts: Vec<_> = texts.iter().copied().chain(names).collect();
    let told = read(&texts);
    if told.0 != MeetingStatus::Scheduled {
        return told;
    }
    let minutes = documents.iter().find(|document| document.role == DocumentRole::Minutes);
    let minutes = minutes.map(|document| (EvidenceSource::Document, document.name.as_str()));
    match recording.map(|name| (EvidenceSource::Recording, name)).or(minutes) {
        Some((source, text)) => {
            let (text, _) = cut(text.to_owned(), EVIDENCE_CHARS);
            (MeetingStatus::Held, Some(Evidence { source, text, to: None }))
        }
        None => told,
    }
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
            _ => false,
        }
}

fn tells(source: EvidenceSource, text: &str, words: &[&str]) -> bool {
    let lower = text.to_lowercase();
    let tokens: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).collect();
    // A comment may speak of one item: "item 5 has been cancelled". It counts when it speaks of the meeting too.
    let has = |word: &str| tokens.contains(&word);
    if source == EvidenceSource::Comment && (has("item") || has("items")) && !has("meeting") {
        return false;
    }
    is_deferred(source, &tokens, words)
        || is_called_off(source, &tokens, words)
        || tokens.iter().enumerate().any(|(i, token)| words.contains(token) && !denied(&tokens, i))
}

/// "not cancelled"; "rescheduled from March 4", which this meeting is the new date of; "after the recess"; "recessed
/// meeting", which goes on then.
fn denied(tokens: &[&str], at: usize) -> bool {
    let before = at.checked_sub(1).map(|i| tokens[i]);
    let after = tokens.get(at + 1).copied();
    before == Some("not")
        || after == Some("from")
        || (tokens[at] == "recess" && before == Some("the"))
        || (tokens[at] == "recessed" && tokens[at + 1..].iter().take(3).any(|token| *token == "meeting"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use EvidenceSource::{Comment, Location, StatusField, Title};

    fn status(source: EvidenceSource, text: &str) -> MeetingStatus {
        read(&[(source, Some(text))]).0
    }

    #[test]
    fn each_field_can_tell() {
        for (source, text, want) in [
            (StatusField, "Cancelled", MeetingStatus::Cancelled),
            (StatusField, "Final-revised", MeetingStatus::Scheduled),
            (Title, "CANCELED - City Council", MeetingStatus::Cancelled),
            (Title, "Notice of Cancellation", MeetingStatus::Cancelled),
            (Title, "Committee on Consolidation", MeetingStatus::Scheduled),
            (Title, "City Council Meeting - No Meeting", MeetingStatus::Cancelled),
            (Title, "NO MEETING - Labor Day", MeetingStatus::Cancelled),
            (EvidenceSource::Document, "NO MEETING", MeetingStatus::Cancelled),
            (EvidenceSource::Document, "August 4 - No Meeting", MeetingStatus::Scheduled),
            (EvidenceSource::Document, "No meeting minutes yet", MeetingStatus::Scheduled),
            (Comment, "There is no meeting", MeetingStatus::Scheduled),
            (Location, "City Hall *** CANCELLED ***", MeetingStatus::Cancelled),
            (Comment, "Recessed to 09/29/20 at 1:30 p.m.", MeetingStatus::Recessed),
            (Title, "July 8, 2020 Recessed Meeting Agenda", MeetingStatus::Scheduled),
            (Title, "Recessed Joint Meeting", MeetingStatus::Scheduled),
            (Comment, "Postponed", MeetingStatus::Postponed),
            (EvidenceSource::Document, "Notice of Postponement", MeetingStatus::Postponed),
            (Title, "Deferred Compensation Board", MeetingStatus::Scheduled),
            (EvidenceSource::Time, "Deferred", MeetingStatus::Postponed),
            (Comment, "Rescheduled to Friday", MeetingStatus::Rescheduled),
            (Comment, "Rescheduled from March 4", MeetingStatus::Scheduled),
            (Comment, "This meeting is not cancelled", MeetingStatus::Scheduled),
            (Comment, "Item 5 has been cancelled", MeetingStatus::Scheduled),
            (Comment, "The meeting and all its items are cancelled", MeetingStatus::Cancelled),
            (Comment, "Cancelled and rescheduled to Friday", MeetingStatus::Cancelled),
        ] {
            assert_eq!(status(source, text), want, "{text}");
        }
    }

    #[test]
    fn a_meeting_that_was_moved_tells_whereto() {
        for (text, want) in [
            ("Rescheduled to Friday, July 10, 2026", Some(jiff::civil::date(2026, 7, 10))),
            ("CANCELLED - meeting has been rescheduled to 7/10/2026 at 6 PM", Some(jiff::civil::date(2026, 7, 10))),
            ("Recessed to 09/29/20 at 1:30 p.m.", Some(jiff::civil::date(2020, 9, 29))),
            ("Rescheduled to Friday", None),
            ("Cancelled on July 10, 2026", None),
        ] {
            let (_, evidence) = read(&[(Title, Some(text))]);
            assert_eq!(evidence.and_then(|evidence| evidence.to), want, "{text}");
        }
    }

    #[test]
    fn the_evidence_is_the_text_that_told() {
        let (_, evidence) = read(&[(StatusField, Some("Final")), (Location, Some("CANCELLED")), (Comment, None)]);
        assert_eq!(evidence, Some(Evidence { source: Location, text: "CANCELLED".to_owned(), to: None }));
    }
}
