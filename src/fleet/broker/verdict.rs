//! Which answer belongs to which message. Pure.
//!
//! lapin hands a returned message to whichever confirm completes next, so a return may sit on somebody else's confirm
//! while the message itself looks confirmed. No return is ever lost, so the ids tell: first collect the returned ids
//! of all answers that are ready, then judge. A return sits on a confirm that completed no later than its message's own.
//! So when a publish was given up, whose confirm nobody reads any more, a plain ack proves nothing on that channel.

use crate::fleet::ports::PublishOutcome;
use std::collections::HashSet;

/// What came back for one publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Acknowledged; with the id of the returned message that came with it.
    Ack(Option<String>),
    /// Refused by the queue; likewise.
    Nack(Option<String>),
    /// The channel is not in confirm mode: a mistake in the program.
    NotRequested,
    /// Channel or connection failed meanwhile.
    Failed(String),
    /// Nothing within the deadline.
    Late,
}

/// Remembers what is in flight and what was returned.
#[derive(Debug, Default)]
pub(super) struct Judge {
    in_flight: HashSet<String>,
    /// Part of `in_flight`, so bounded by the window.
    returned: HashSet<String>,
    /// A confirm was given up: a return may sit on it.
    blind: bool,
}

impl Judge {
    /// False: a message with this id is in flight already.
    #[must_use]
    pub(super) fn sent(&mut self, id: &str) -> bool {
        self.in_flight.insert(id.to_owned())
    }

    /// Judges answers that were ready together.
    pub(super) fn judge<T>(&mut self, batch: Vec<(String, T, Answer)>) -> Vec<(T, PublishOutcome)> {
        for (_, _, answer) in &batch {
            self.blind |= *answer == Answer::Late;
            if let Answer::Ack(Some(id)) | Answer::Nack(Some(id)) = answer
                && self.in_flight.contains(id)
            {
                self.returned.insert(id.clone());
            }
        }
        batch.into_iter().map(|(id, item, answer)| (item, self.outcome(&id, &answer))).collect()
    }

    fn outcome(&mut self, id: &str, answer: &Answer) -> PublishOutcome {
        self.in_flight.remove(id);
        if self.returned.remove(id) {
            return PublishOutcome::Returned;
        }
        match answer {
            Answer::Ack(None) if !self.blind => PublishOutcome::Confirmed,
            Answer::Nack(None) => PublishOutcome::Nacked,
            // Somebody else's return, or nobody's eyes: what became of this one is not known.
            Answer::Ack(_) | Answer::Nack(Some(_)) => PublishOutcome::Unknown,
            Answer::NotRequested | Answer::Failed(_) | Answer::Late => PublishOutcome::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PublishOutcome::{Confirmed, Nacked, Returned, Unknown};

    fn judge(batch: &[(&str, Answer)]) -> Vec<PublishOutcome> {
        let mut judge = Judge::default();
        batch.iter().for_each(|(id, _)| assert!(judge.sent(id), "{id} twice"));
        let batch = batch.iter().map(|(id, answer)| ((*id).to_owned(), (), answer.clone())).collect();
        let outcomes = judge.judge(batch).into_iter().map(|((), outcome)| outcome).collect();
        assert!(judge.in_flight.is_empty() && judge.returned.is_empty(), "something is remembered for ever");
        outcomes
    }

    fn back(id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    #[test]
    fn plain_answers() {
        let answers = [
            ("a", Answer::Ack(None)),
            ("b", Answer::Nack(None)),
            ("c", Answer::Ack(back("c"))),
            ("d", Answer::NotRequested),
            ("e", Answer::Failed("gone".to_owned())),
        ];
        assert_eq!(judge(&answers), [Confirmed, Nacked, Returned, Unknown, Unknown]);
    }

    #[test]
    fn a_return_on_anothers_confirm_is_no_confirm() {
        assert_eq!(judge(&[("a", Answer::Ack(None)), ("b", Answer::Ack(back("a")))]), [Returned, Unknown]);
        assert_eq!(judge(&[("a", Answer::Ack(back("b"))), ("b", Answer::Ack(back("a")))]), [Returned, Returned]);
        assert_eq!(judge(&[("a", Answer::Nack(back("b"))), ("b", Answer::Late)]), [Unknown, Returned]);
    }

    #[test]
    fn a_return_waits_for_the_answer_of_its_own_message() {
        let mut judge = Judge::default();
        assert!(judge.sent("a") && judge.sent("b"));
        assert_eq!(judge.judge(vec![("b".to_owned(), (), Answer::Ack(back("a")))]), [((), Unknown)]);
        assert_eq!(judge.judge(vec![("a".to_owned(), (), Answer::Ack(None))]), [((), Returned)]);
    }

    #[test]
    fn after_a_given_up_confirm_an_ack_proves_nothing() {
        let answers =
            [("a", Answer::Ack(None)), ("b", Answer::Late), ("c", Answer::Nack(None)), ("d", Answer::Ack(back("d")))];
        assert_eq!(judge(&answers), [Unknown, Unknown, Nacked, Returned]);
        let mut judge = Judge::default();
        assert!(judge.sent("a") && judge.sent("b"));
        assert_eq!(judge.judge(vec![("b".to_owned(), (), Answer::Late)]), [((), Unknown)]);
        assert_eq!(judge.judge(vec![("a".to_owned(), (), Answer::Ack(None))]), [((), Unknown)]);
    }

    #[test]
    fn an_id_is_in_flight_once() {
        let mut judge = Judge::default();
        assert!(judge.sent("a"));
        assert!(!judge.sent("a"));
        assert_eq!(judge.judge(vec![("a".to_owned(), (), Answer::Ack(None))]), [((), Confirmed)]);
        assert!(judge.sent("a"));
    }

    #[test]
    fn a_return_of_what_is_not_in_flight_is_not_kept() {
        assert_eq!(judge(&[("a", Answer::Ack(back("stranger")))]), [Unknown]);
    }
}
