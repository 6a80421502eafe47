//! Installing the subscriber.

use super::{
    console,
    json::Json,
    level::Level,
    repeats::Repeats,
    settings::{LogOutput, LogSettings},
};
use std::sync::OnceLock;
use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, fmt::MakeWriter, layer::SubscriberExt, reload};

/// Libraries that would drown the rest; a directive of the user overrides them. lapin writes several lines about each
/// failed connect and each returned message: the broker's own lines tell them once.
const DEFAULTS: &str = "info,lapin=off,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,tokio_postgres=warn,\
                        refinery_core=warn,h2=warn,tower=warn";
/// Lines that wait for a slow output; at about 500 bytes each, some 16 MiB. What comes on top is dropped and counted.
const BUFFERED_LINES: usize = 32_768;

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No such format.
    #[error("unknown log format {0:?}: set DOCKET_LOG_FORMAT to auto, console or json")]
    Format(String),
    /// No such rate.
    #[error("{0:?} is no rate: set DOCKET_LOG_SUCCESSES to a whole number of lines a second")]
    Successes(String),
    /// The filter can't be read.
    #[error(
        "can't read the log filter {filter:?} ({reason}): set DOCKET_LOG to something like info,docket::fleet=debug"
    )]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody set a log up, or it can't be changed.
    #[error("this process has no log whose level could be changed")]
    Fixed,
    /// A subscriber was installed before.
    #[error("logging is set up already: do it once a process")]
    Twice,
}

/// Counts the lines that this process dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// How many lines were dropped because the output was too slow, since the start.
#[must_use]
pub fn dropped_lines() -> u64 {
    DROPPED.get().map_or(0, |counter| counter.dropped_lines() as u64)
}

/// Keep it until the end of the process: dropping it flushes what waits.
#[must_use = "dropping the guard ends the log"]
#[derive(Debug)]
pub struct LogGuard {
    _flush: WorkerGuard,
}

/// Logs from here on, as the settings say.
///
/// # Errors
/// When the filter can't be read, or logging is set up already.
pub fn init(settings: &LogSettings) -> Result<LogGuard, LogError> {
    if let Some(per_second) = settings.successes_per_second {
        crate::telemetry::sample_successes(per_second);
    }
    let builder = NonBlockingBuilder::default().buffered_lines_limit(BUFFERED_LINES).thread_name("docket-log");
    let (writer, flush): (NonBlocking, WorkerGuard) = match settings.output {
        LogOutput::Stderr => builder.finish(std::io::stderr()),
        LogOutput::Stdout => builder.finish(std::io::stdout()),
    };
    let dropped = writer.error_counter();
    let (filter, handle) = reload::Layer::new(filter(&settings.filter)?);
    let subscriber =
        tracing_subscriber::registry().with(layer(settings, writer).with_filter(Repeats::default())).with(filter);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    Level::new(&settings.filter, move |filter| handle.reload(filter).is_ok()).install();
    // Both can be set once only, and the first try has succeeded.
    let _ = DROPPED.set(dropped);
    Ok(LogGuard { _flush: flush })
}

/// The subscriber that [`init`] installs, over a writer of the caller's and without the buffer before it: what a line
/// costs can be measured, and read.
///
/// # Errors
/// When the filter can't be read.
pub fn subscriber<W>(settings: &LogSettings, writer: W) -> Result<impl Subscriber + Send + Sync, LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    Ok(tracing_subscriber::registry().with(layer(settings, writer)).with(filter(&settings.filter)?))
}

fn layer<W>(settings: &LogSettings, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    if settings.json() {
        Box::new(Json::new(writer))
    } else {
        let console = fmt::layer().fmt_fields(console::fields()).with_ansi(settings.color()).with_writer(writer);
        Box::new(console)
    }
}

pub(super) fn filter(directives: &str) -> Result<EnvFilter, LogError> {
    let joined = format!("{DEFAULTS},{directives}");
    let refused = |e: &dyn std::fmt::Display| LogError::Filter { filter: directives.to_owned(), reason: e.to_string() };
    EnvFilter::builder().parse(joined.trim_end_matches(',')).map_err(|e| refused(&e))
}

#[cfg(test)]
mod tests {
    use super::{super::LogFormat, *};
    use serde_json::{Value, json};
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, body: impl FnOnce()) -> String {
        let sink = Sink::default();
        let make = sink.clone();
        let settings = LogSettings { format, filter: filter.to_owned(), no_color: true, ..LogSettings::default() };
        let subscriber = subscriber(&settings, move || make.clone()).expect("valid settings");
        tracing::subscriber::with_default(subscriber, body);
        String::from_utf8(sink.0.lock().unwrap().clone()).expect("UTF-8")
    }

    fn work() {
        let span = tracing::info_span!("job", job.id = 7, kind = "greet");
        let _entered = span.enter();
        tracing::warn!(job.id = 8, password = "hunter2", url = %"amqp://u:hunter2@h/\u{1b}[31m\nx", "message with hunter's \x07");
    }

    #[test]
    fn a_json_line_is_one_an_event_with_the_spans_fields_and_each_key_once() {
        let text = logged(LogFormat::Json, "", work);
        assert_eq!(text.lines().count(), 1, "no START and no END: {text}");
        assert_eq!(text.matches("job.id").count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(&text).expect("JSON");
        let fields = line.as_object_mut().expect("an object");
        for varying in ["time", "pid", "hostname", "line", "file"] {
            assert!(fields.remove(varying).is_some(), "{varying} is missing in {text}");
        }
        let golden = json!({
            "v": 0, "name": "docket", "level": 40, "target": module_path!(), "kind": "greet", "job.id": 8,
            "msg": "[JOB - EVENT] message with hunter's \u{7}", "password": "[REDACTED]",
            "url": "amqp://[REDACTED]@h/\u{1b}[31m\nx",
        });
        assert_eq!(line, golden);
    }

    #[test]
    fn a_console_line_has_no_secret_and_no_control_character() {
        let text = logged(LogFormat::Console, "", work);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("job.id=8") && text.contains("kind=\"greet\""), "{text}");
        assert!(!text.contains("hunter2") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn libraries_are_quiet_unless_asked() {
        let noise = || {
            tracing::info!(target: "lapin", "frame");
            tracing::debug!(target: "docket::fleet", "detail");
        };
        assert_eq!(logged(LogFormat::Json, "", noise), "");
        assert_eq!(logged(LogFormat::Json, "debug", noise).lines().count(), 1, "lapin stays quiet");
        assert_eq!(logged(LogFormat::Json, "lapin=debug", noise).lines().count(), 1);
    }

    #[test]
    fn a_bad_filter_says_what_to_do() {
        let error = filter("fleet=loud").expect_err("no such level").to_string();
        assert!(error.contains("fleet=loud") && error.contains("DOCKET_LOG"), "{error}");
    }
}
