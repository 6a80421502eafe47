//! One bar on standard error, where that is a terminal.

use crate::dev::bench::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// The bar of the scenario that runs.
pub(super) struct Bars(ProgressBar);

impl Bars {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{prefix:>10} {msg:<14} [{bar:40}] {pos}/{len} {per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        Self(ProgressBar::new(0).with_style(style))
    }

    pub(super) fn update(&self, progress: Progress) {
        if progress.done == 0 {
            self.0.reset();
            self.0.set_prefix(progress.scenario.to_string());
            self.0.set_message(progress.step);
        }
        self.0.set_length(progress.total.max(progress.done));
        self.0.set_position(progress.done);
    }

    /// Takes it off the terminal, until the next update.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
