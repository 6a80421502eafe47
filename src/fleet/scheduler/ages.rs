//! How old a message is, by our own clock. Pure: the caller brings the time.

use crate::fleet::job::MessageId;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Watermarks of the message sequence, as seen at certain moments: a message below one that was seen ten seconds ago is at
/// least ten seconds old.
#[derive(Debug, Default)]
pub(super) struct AgeWatch {
    marks: VecDeque<(Instant, MessageId)>,
}

/// One mark a second for more than the longest age that is asked for.
const MAX_MARKS: usize = 600;

impl AgeWatch {
    /// The watermark now. `now` was read before it was asked for.
    pub(super) fn mark(&mut self, now: Instant, watermark: MessageId) {
        self.marks.push_back((now, watermark));
        if self.marks.len() > MAX_MARKS {
            self.marks.pop_front();
        }
    }

    /// The newest watermark that is at least `age` old; what is below it is older than that. None: not watched for long
    /// enough.
    pub(super) fn older_than(&self, age: Duration, now: Instant) -> Option<MessageId> {
        self.marks.iter().rev().find(|(seen, _)| now.saturating_duration_since(*seen) >= age).map(|(_, mark)| *mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_seen_long_enough_ago_is_old() {
        let (mut ages, start) = (AgeWatch::default(), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        for s in 0..30 {
            ages.mark(at(s), MessageId(100 * i64::try_from(s).expect("small")));
        }
        assert_eq!(ages.older_than(Duration::from_secs(10), at(29)), Some(MessageId(1900)));
        assert_eq!(ages.older_than(Duration::from_secs(29), at(29)), Some(MessageId(0)));
        assert_eq!(ages.older_than(Duration::from_secs(60), at(29)), None);
    }
}
