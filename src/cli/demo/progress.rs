//! What a demonstration shows while it works: bars on a terminal, a line now and then elsewhere.

use super::report::Report;
use crate::dev::city::Expected;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{io::IsTerminal, sync::Mutex, time::Duration};
use tokio::time::Instant;

/// Bars on standard error.
pub(super) struct Progress {
    all: MultiProgress,
    bars: [ProgressBar; 4],
    line: Option<Mutex<Instant>>,
}

/// Between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

impl Progress {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{prefix:>10} [{bar:40}] {pos}/{len} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let all = MultiProgress::new();
        let bars = ["meetings", "documents", "summaries", "jobs"]
            .map(|name| all.add(ProgressBar::new(0).with_style(style.clone()).with_prefix(name)));
        let line = (!std::io::stderr().is_terminal()).then(|| Mutex::new(Instant::now()));
        Self { all, bars, line }
    }

    /// Where to look meanwhile.
    pub(super) fn places(&self, places: &[(&'static str, String)]) {
        for (name, url) in places {
            // A terminal that went away can't be told.
            let _ = self.all.println(format!("{name:<20} {url}"));
        }
    }

    pub(super) fn update(&self, report: &Report, expected: &Expected) {
        let ended = report.jobs.total() - report.jobs.open();
        let values = [
            (report.meetings, expected.meetings as u64),
            (report.documents, expected.documents as u64),
            (report.summaries, expected.summaries as u64),
            (ended, report.jobs.total()),
        ];
        for (bar, (value, length)) in self.bars.iter().zip(values) {
            bar.set_length(length);
            bar.set_position(value);
        }
        let jobs = &report.jobs;
        let news = format!("{} tried again, {} failed, {} dead letters", report.retries, jobs.failed, jobs.dead_letter);
        if let Some(last) = &self.line {
            let mut last = last.lock().expect("nothing panics while it holds this lock");
            if last.elapsed() >= EVERY {
                *last = Instant::now();
                eprintln!("{ended} of {} jobs ended: {news}", jobs.total());
            }
        }
        self.bars[3].set_message(news);
    }

    pub(super) fn finish(&self) {
        self.bars.iter().for_each(ProgressBar::abandon);
    }
}
