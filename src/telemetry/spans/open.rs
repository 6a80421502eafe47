//! A span that has begun.

use super::{Attribute, Span, SpanKind};
use crate::telemetry::{TraceParent, current_trace, within_trace};
use std::{future::Future, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// A span that has begun. One that is dropped before its end is not told.
///
/// Where its trace is told, what happens inside belongs to this one; elsewhere to the work around it, because nobody would
/// find a span by a number that was never told.
#[derive(Clone, Copy, Debug)]
#[must_use = "it is told when it ends"]
pub struct OpenSpan {
    own: Option<TraceParent>,
    parent: Option<TraceParent>,
    begun: Instant,
}

impl OpenSpan {
    /// Begins a part of the current work.
    pub fn begin() -> Self {
        Self::of(current_trace())
    }

    /// Begins what `parent` caused.
    pub fn of(parent: Option<TraceParent>) -> Self {
        let own = parent.map(|parent| if Span::is_told(parent) { parent.child(rand::random()) } else { parent });
        Self { own, parent, begun: Instant::now() }
    }

    /// Begins a trace.
    pub fn root() -> Self {
        Self { own: TraceParent::new(Uuid::new_v4(), rand::random()), parent: None, begun: Instant::now() }
    }

    /// Its trace, as it hands it on.
    #[must_use]
    pub const fn trace(&self) -> Option<TraceParent> {
        self.own
    }

    /// Does its work.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        within_trace(self.own, work).await
    }

    /// Ends it; `error` is the class of what went wrong.
    pub fn end(
        self,
        (kind, name): (SpanKind, &str),
        took: Duration,
        attributes: &[(&'static str, Attribute<'_>)],
        error: Option<&str>,
    ) {
        if let Some(own) = self.own {
            let parent = self.parent.map(|parent| parent.parent_id());
            Span { own, parent, kind, name, begun: self.begun, took, attributes, error }.record();
        }
    }
}
