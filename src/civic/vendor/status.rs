//! Cancelled, moved, interrupted: read from whatever field a clerk wrote it into.

mod words;

use super::text::cut;
use crate::civic::model::{DocumentRole, Evidence, EvidenceSource, MeetingStatus, ParsedDocument, ParsedMeeting};
use words::{WORDS, moved_to, tells};

pub(super) use words::is_word;

/// Longest piece of text that is kept as evidence, in characters.
const EVIDENCE_CHARS: usize = 200;

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

/// A time that was called off: "Cancelled 6:00 PM", and not "Rescheduled from 6:00 PM" or "Canceled - see 1:00 PM".
pub(super) fn is_before(time: &str) -> bool {
    let mut words = time.split(' ');
    words.next().is_some_and(|word| is_word(&word.to_lowercase()))
        && words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// A meeting that was moved to the day that it has now, as vendors write who change the row, has arrived there.
pub(super) fn arrived(meeting: &mut ParsedMeeting) {
    let to = meeting.status_evidence.as_ref().and_then(|evidence| evidence.to);
    let is_moved = matches!(meeting.status, MeetingStatus::Rescheduled | MeetingStatus::Postponed);
    if is_moved && to == Some(meeting.local_date) {
        (meeting.status, meeting.status_evidence) = (MeetingStatus::Scheduled, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EvidenceSource::{Comment, Location, StatusField, Title};

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
