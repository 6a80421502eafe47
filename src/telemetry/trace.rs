//! W3C trace context: the `traceparent` that a job carries over all its attempts.

use std::{fmt, future::Future, str::FromStr};
use uuid::Uuid;

/// A trace, the span that caused this work, and whether someone records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: Uuid,
    parent_id: u64,
    sampled: bool,
}

/// Text that is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceParentError {
    /// Not `00-<32 hex>-<16 hex>-<2 hex>` in lower case.
    #[error("not a traceparent: it looks like 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case")]
    Syntax,
    /// Version ff is forbidden.
    #[error("traceparent version ff is forbidden")]
    Version,
    /// A trace or parent of zeros only means "none".
    #[error("a traceparent of zeros names no trace")]
    Zero,
}

impl TraceParent {
    /// A recorded trace with this parent span. A nil trace is no trace; a parent of 0 becomes 1, since the standard
    /// forbids zeros.
    #[must_use]
    pub fn new(trace_id: Uuid, parent_id: u64) -> Option<Self> {
        (!trace_id.is_nil()).then_some(Self { trace_id, parent_id: parent_id.max(1), sampled: true })
    }

    /// The same trace, as a span of this number hands it on.
    #[must_use]
    pub fn child(self, parent_id: u64) -> Self {
        Self { parent_id: parent_id.max(1), ..self }
    }

    /// The trace.
    #[must_use]
    pub const fn trace_id(&self) -> Uuid {
        self.trace_id
    }

    /// The span that caused this work.
    #[must_use]
    pub const fn parent_id(&self) -> u64 {
        self.parent_id
    }

    /// Whether the caller records it.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.sampled
    }
}

tokio::task_local! {
    /// The trace that the task's work belongs to.
    static CURRENT: Option<TraceParent>;
}

/// Does some work as part of a trace: what it asks of others carries it on, see [`current_trace`]. Tasks that it spawns are
/// not part of it.
pub async fn within_trace<F: Future>(trace: Option<TraceParent>, work: F) -> F::Output {
    CURRENT.scope(trace, work).await
}

/// The trace that this work belongs to.
#[must_use]
pub fn current_trace() -> Option<TraceParent> {
    CURRENT.try_with(|trace| *trace).ok().flatten()
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-{:02x}", self.trace_id.simple(), self.parent_id, u8::from(self.sampled))
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut hex = |digits| hex(parts.next(), digits);
        let (version, trace, parent, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        match version {
            0xff => return Err(TraceParentError::Version),
            // A later version may append fields; version 00 has exactly four.
            0 if parts.next().is_some() => return Err(TraceParentError::Syntax),
            _ => {}
        }
        if trace == 0 || parent == 0 {
            return Err(TraceParentError::Zero);
        }
        let parent_id = u64::try_from(parent).expect("sixteen hex digits fit");
        Ok(Self { trace_id: Uuid::from_u128(trace), parent_id, sampled: flags & 1 == 1 })
    }
}

fn hex(part: Option<&str>, digits: usize) -> Result<u128, TraceParentError> {
    let part = part.filter(|p| p.len() == digits && p.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    u128::from_str_radix(part.ok_or(TraceParentError::Syntax)?, 16).map_err(|_| TraceParentError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_example_of_the_standard_round_trips() {
        let parsed: TraceParent = EXAMPLE.parse().expect("valid");
        assert_eq!(parsed.trace_id(), Uuid::from_u128(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736));
        assert!(parsed.is_sampled());
        assert_eq!(parsed.to_string(), EXAMPLE);
    }

    #[test]
    fn bad_input_is_refused() {
        let upper = EXAMPLE.to_uppercase();
        let longer = format!("{EXAMPLE}-00");
        let forbidden = EXAMPLE.replacen("00", "ff", 1);
        let no_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let no_parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        for text in ["", "00", "é", &upper, &longer, "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] {
            assert_eq!(text.parse::<TraceParent>(), Err(TraceParentError::Syntax), "{text}");
        }
        assert_eq!(forbidden.parse::<TraceParent>(), Err(TraceParentError::Version));
        assert_eq!(no_trace.parse::<TraceParent>(), Err(TraceParentError::Zero));
        assert_eq!(no_parent.parse::<TraceParent>(), Err(TraceParentError::Zero));
        assert_eq!(TraceParent::new(Uuid::nil(), 1), None);
    }

    #[test]
    fn a_later_version_may_be_longer() {
        let later = format!("{}-extra", EXAMPLE.replacen("00", "01", 1));
        assert!(later.parse::<TraceParent>().is_ok());
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(trace in 1..u128::MAX, parent in any::<u64>()) {
            let ours = TraceParent::new(Uuid::from_u128(trace), parent).expect("not nil");
            prop_assert_eq!(ours.to_string().parse(), Ok(ours));
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = text.parse::<TraceParent>();
        }
    }

    #[tokio::test]
    async fn work_knows_its_trace_and_what_it_spawns_does_not() {
        assert_eq!(current_trace(), None);
        let trace = TraceParent::new(Uuid::from_u128(7), 8);
        let (own, spawned) = within_trace(trace, async {
            (current_trace(), tokio::spawn(async { current_trace() }).await.expect("it ends"))
        })
        .await;
        assert_eq!((own, spawned), (trace, None));
        assert_eq!(within_trace(None, async { current_trace() }).await, None);
    }
}
