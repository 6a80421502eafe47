//! The body of a broker message: fenced pointers, nothing else.
//!
//! `{"v":1,"m":<message id>,"jobs":[[<job id>,<epoch>], …]}`. Whoever writes to a queue can forge one; it does no
//! harm, because the claim believes the row and not the message.

use super::{Epoch, JobId, MessageId};
use serde::{Deserialize, Serialize};

/// The only version there is.
const VERSION: u8 = 1;
/// More pointers than this in one message are not ours.
pub const MAX_POINTERS: usize = 1000;
/// A body larger than this is not ours: 1,000 pointers need about 32 KiB.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Most of a parser's words that are kept: they go into a row of quarantine and into the log.
const MAX_REASON_BYTES: usize = 200;

/// A job as the broker sees it: which row, and at which epoch it may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pointer(pub JobId, pub Epoch);

impl Pointer {
    /// The row.
    #[must_use]
    pub const fn id(self) -> JobId {
        self.0
    }

    /// The epoch at which the row may be claimed.
    #[must_use]
    pub const fn epoch(self) -> Epoch {
        self.1
    }
}

/// One broker message: one to K pointers of one lane, band and kind. No pointers: a probe, which workers just ack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    v: u8,
    /// The row of `job_messages` that this message is.
    #[serde(rename = "m")]
    pub message: MessageId,
    /// What it points to.
    pub jobs: Vec<Pointer>,
}

/// Why a body is not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Larger than anything a scheduler writes.
    #[error("body of {0} bytes is larger than {MAX_BODY_BYTES}")]
    TooLarge(usize),
    /// Not the JSON that a scheduler writes. The parser quotes names that it doesn't know, so its words are cut.
    #[error("body is not an envelope: {0}")]
    Malformed(String),
    /// Written by a newer Docket.
    #[error("envelope version {0}, this worker reads {VERSION}")]
    Version(u8),
    /// More pointers than a scheduler puts into a message, or a number that no row can have.
    #[error("envelope names {0} jobs, or one with an id or epoch that no row has; at most {MAX_POINTERS}")]
    Pointers(usize),
}

impl Envelope {
    /// A message for these pointers.
    #[must_use]
    pub const fn new(message: MessageId, jobs: Vec<Pointer>) -> Self {
        Self { v: VERSION, message, jobs }
    }

    /// The bytes that go to the broker.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("integers always serialise")
    }

    /// Reads a body.
    ///
    /// # Errors
    /// Anything that [`Envelope::encode`] of this version can't have written.
    pub fn decode(body: &[u8]) -> Result<Self, EnvelopeError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(EnvelopeError::TooLarge(body.len()));
        }
        let envelope: Self = serde_json::from_slice(body).map_err(|e| EnvelopeError::Malformed(cut(e.to_string())))?;
        if envelope.v != VERSION {
            return Err(EnvelopeError::Version(envelope.v));
        }
        // The claim adds one to the epoch.
        let legal = |p: &Pointer| p.id().0 > 0 && (1..Epoch::MAX).contains(&p.epoch());
        if envelope.jobs.len() > MAX_POINTERS || !envelope.jobs.iter().all(legal) {
            return Err(EnvelopeError::Pointers(envelope.jobs.len()));
        }
        Ok(envelope)
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_REASON_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_format_is_pinned() {
        let envelope = Envelope::new(MessageId(7), vec![Pointer(JobId(1), 2), Pointer(JobId(3), 4)]);
        assert_eq!(String::from_utf8_lossy(&envelope.encode()), r#"{"v":1,"m":7,"jobs":[[1,2],[3,4]]}"#);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let deep = "[".repeat(60_000);
        let huge = vec![b' '; MAX_BODY_BYTES + 1];
        let many = Envelope::new(MessageId(1), vec![Pointer(JobId(1), 1); MAX_POINTERS + 1]).encode();
        let bodies: [&[u8]; 11] = [
            b"",
            b"null",
            b"{}",
            b"\xff\xfe",
            br#"{"v":2,"m":1,"jobs":[]}"#,
            br#"{"v":1,"m":1,"jobs":[[0,1]]}"#,
            br#"{"v":1,"m":1,"jobs":[[1,2147483647]]}"#,
            br#"{"v":1,"m":1,"jobs":[[1,1]],"x":1}"#,
            deep.as_bytes(),
            &huge,
            &many,
        ];
        for body in bodies {
            let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            assert!(Envelope::decode(body).is_err(), "accepted {start}");
        }
    }

    #[test]
    fn a_strangers_words_are_cut_in_the_reason() {
        let body = format!(r#"{{"v":1,"{}":1}}"#, "ä".repeat(30_000));
        let reason = Envelope::decode(body.as_bytes()).unwrap_err().to_string();
        assert!(reason.contains("unknown field") && reason.len() < 300, "{} bytes", reason.len());
    }

    proptest! {
        #[test]
        fn round_trip(m in 1..i64::MAX, jobs in proptest::collection::vec((1..i64::MAX, 1..i32::MAX - 1), 0..50)) {
            let envelope = Envelope::new(MessageId(m), jobs.into_iter().map(|(id, e)| Pointer(JobId(id), e)).collect());
            prop_assert_eq!(Envelope::decode(&envelope.encode()).expect("own encoding"), envelope);
        }

        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Envelope::decode(&body);
        }
    }
}
