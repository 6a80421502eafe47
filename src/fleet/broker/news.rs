//! Which troubles the log has told. Tries go on for ever and two connections make them, so a reason is told once an
//! outage, not once a try. Pure.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Connections that were both open for so long were good: the next trouble is a new one.
pub(super) const HELD: Duration = Duration::from_secs(5);
/// An outage has few reasons; texts that vary with each try must not be kept for ever.
const REMEMBERED: usize = 16;

#[derive(Debug, Default)]
pub(super) struct News {
    told: VecDeque<String>,
    ready_since: Option<Instant>,
}

impl News {
    /// Whether both connections are open now.
    pub(super) fn ready(&mut self, ready: bool, now: Instant) {
        if ready {
            self.ready_since.get_or_insert(now);
        } else if self.ready_since.take().is_some_and(|since| now - since >= HELD) {
            self.told.clear();
        }
    }

    /// Whether this reason is to be told.
    pub(super) fn is_new(&mut self, reason: &str) -> bool {
        if self.told.iter().any(|told| told == reason) {
            return false;
        }
        if self.told.len() == REMEMBERED {
            self.told.pop_front();
        }
        self.told.push_back(reason.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_once_an_outage() {
        let (mut news, start) = (News::default(), Instant::now());
        assert_eq!(["refused", "refused", "silent", "refused"].map(|r| news.is_new(r)), [true, false, true, false]);
        // Flapping is the same outage.
        news.ready(true, start);
        news.ready(false, start + HELD / 2);
        assert!(!news.is_new("refused"));
        news.ready(true, start + HELD);
        news.ready(true, start + HELD + HELD / 2);
        news.ready(false, start + HELD * 2);
        assert_eq!(["refused", "refused"].map(|r| news.is_new(r)), [true, false]);
        // The second connection's end belongs to the same outage.
        news.ready(false, start + HELD * 3);
        assert!(!news.is_new("refused"));
    }

    #[test]
    fn varying_reasons_are_not_kept_for_ever() {
        let mut news = News::default();
        for n in 0..1000 {
            assert!(news.is_new(&n.to_string()));
        }
        assert_eq!(news.told.len(), REMEMBERED);
    }
}
