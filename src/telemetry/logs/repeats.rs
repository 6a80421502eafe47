//! A condition that goes on is told once a minute, not a thousand times a second: whoever reads the log looks for what is new.

use super::super::names::LOG_LINES_REPEATED;
use metrics::counter;
use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tracing::{
    Event, Level, Metadata,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Filter};

/// The same line is told again after this time.
const TELL_AGAIN: Duration = Duration::from_mins(1);
/// Different lines that are remembered; with more of them all are forgotten, and told once more.
const KNOWN_MAX: usize = 1024;

/// Leaves out a warning or an error that was told within the last minute with the very same fields, and counts it. Attempts of
/// jobs are never left out: each has its job's id.
#[derive(Default)]
pub(super) struct Repeats(Mutex<HashMap<u64, Instant>>);

impl Repeats {
    fn is_news(&self, line: u64, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(&line).is_some_and(|told| now.saturating_duration_since(*told) < TELL_AGAIN) {
            return false;
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(line, now);
        true
    }
}

impl<S> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if *event.metadata().level() > Level::WARN {
            return true;
        }
        let mut line = Line(DefaultHasher::new());
        event.metadata().callsite().hash(&mut line.0);
        event.record(&mut line);
        let is_news = self.is_news(line.0.finish(), Instant::now());
        if !is_news {
            counter!(LOG_LINES_REPEATED).increment(1);
        }
        is_news
    }
}

/// All that a line says.
struct Line(DefaultHasher);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        (field.name(), format!("{value:?}")).hash(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{self, Write},
        sync::Arc,
    };
    use tracing_subscriber::{Layer, fmt, layer::SubscriberExt};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_line_is_told_once_a_minute_and_any_other_at_once() {
        let page = Page::default();
        let writer = page.clone();
        let layer = fmt::layer().with_writer(move || writer.clone()).with_ansi(false).with_filter(Repeats::default());
        let _logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let round = || {
            for job in 0..3 {
                tracing::warn!(event = "a.b", error = "away", "the database is away");
                tracing::error!(event = "job.failed", job.id = job, "attempt ended");
                tracing::info!(event = "c.d", "good news");
            }
        };
        let lines = || String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        round();
        assert_eq!((lines().matches("away").count(), lines().matches("attempt").count()), (2, 3), "{}", lines());
        assert_eq!(lines().matches("good news").count(), 3);
        tracing::warn!(event = "a.b", error = "another reason", "the database is away");
        assert!(lines().contains("another reason"));
        tokio::time::advance(TELL_AGAIN).await;
        tracing::warn!(event = "e.f", "told");
        round();
        assert_eq!(lines().matches("error=\"away\"").count(), 2, "{}", lines());
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!((0..10 * KNOWN_MAX as u64).all(|line| repeats.is_news(line, now)));
        assert!(repeats.0.lock().unwrap().len() <= KNOWN_MAX);
    }
}
