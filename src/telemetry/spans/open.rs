//! A span that has begun.

use super::{Attribute, Span, SpanKind};
use crate::telemetry::{TraceParent, current_trace, within_trace};
use std::{future::Future, time::Duration};

/// A span of the work around it that has begun.
///
/// Where spans are told, what happens inside belongs to this one; elsewhere to the work around it, because nobody would find
/// a span by a number that was never told.
#[derive(Clone, Copy, Debug)]
pub struct OpenSpan {
    own: Option<TraceParent>,
    parent: Option<TraceParent>,
}

impl OpenSpan {
    /// Begins a part of the current work.
    #[must_use]
    pub fn begin() -> Self {
        Self::of(current_trace())
    }

    /// Begins what `parent` caused.
    #[must_use]
    pub fn of(parent: Option<TraceParent>) -> Self {
        let child = |parent: TraceParent| TraceParent::new(parent.trace_id(), rand::random());
        Self { own: if Span::is_told() { parent.and_then(child) } else { parent }, parent }
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
            Span { own, parent, kind, name, took, attributes, error }.record();
        }
    }
}
