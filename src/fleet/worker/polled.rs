//! A handler's future, and for how long it has been holding its thread.

use super::signal::StopSignal;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A future whose polls can be seen from outside, through its attempt's signal.
pub(super) struct Polled<F> {
    future: F,
    signal: StopSignal,
}

impl<F> Polled<F> {
    pub(super) const fn new(future: F, signal: StopSignal) -> Self {
        Self { future, signal }
    }
}

/// However a poll ends: a panic ends one too.
struct Ends<'a>(&'a StopSignal);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.poll_ends();
    }
}

impl<F: Future + Unpin> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.signal.poll_begins();
        let _ends = Ends(&this.signal);
        Pin::new(&mut this.future).poll(cx)
    }
}
