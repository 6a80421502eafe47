//! `docket logs`: a log of JSON lines, for people.

use super::{
    exit::{Failure, Outcome},
    output,
};
use clap::{Parser, ValueEnum};
use serde_json::{Map, Value};
use std::{
    fmt::Write,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: journalctl -o cat -u 'docket-worker@*' | docket logs --level warn\n\
                        \x20        docket logs --job 42 worker.log\n\
                        Lines that are no JSON are shown as they are, unless something is asked for that they don't have.")]
pub(super) struct Args {
    /// Files; standard input where none is named
    files: Vec<PathBuf>,
    /// Nothing below
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// Lines about this job
    #[arg(long, value_name = "ID")]
    job: Option<i64>,
    /// Lines of this trace
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Lines of this event, or of all that begin so: docs/LOGGING.md
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
}

/// As Bunyan numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Level {
    Trace = 10,
    Debug = 20,
    Info = 30,
    Warn = 40,
    Error = 50,
}

/// Longer lines are cut: no line of ours is.
const LINE_MAX: u64 = 1 << 20;
/// Fields that stand at the line's beginning, or that everybody knows.
const HEAD: [&str; 9] = ["v", "name", "msg", "level", "hostname", "pid", "time", "line", "file"];

pub(super) fn run(args: &Args) -> Outcome {
    if args.files.is_empty() {
        return show(args, io::stdin().lock());
    }
    for path in &args.files {
        let file = File::open(path).map_err(|e| Failure::usage(format!("can't read {}: {e}", path.display())))?;
        show(args, BufReader::new(file))?;
    }
    Ok(())
}

fn show(args: &Args, mut input: impl BufRead) -> Outcome {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input).take(LINE_MAX).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(e) => return Err(Failure::usage(format!("can't read the log: {e}"))),
        }
        let text = String::from_utf8_lossy(&line);
        if let Some(shown) = shown(args, text.trim_end()) {
            output::text(&shown)?;
        }
    }
}

/// The line for people; none: it was not asked for.
fn shown(args: &Args, line: &str) -> Option<String> {
    match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(fields) if is_asked(args, &fields) => Some(pretty(&fields)),
        Ok(_) => None,
        Err(_) => {
            let asks = args.level.is_some() || args.job.is_some() || args.trace.is_some() || args.event.is_some();
            (!asks && !line.is_empty()).then(|| tame(line))
        }
    }
}

fn is_asked(args: &Args, fields: &Map<String, Value>) -> bool {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let level = fields.get("level").and_then(Value::as_i64).unwrap_or(i64::MAX);
    args.level.is_none_or(|least| level >= least as i64)
        && args.job.is_none_or(|job| fields.get("job.id").and_then(Value::as_i64) == Some(job))
        && args.trace.as_deref().is_none_or(|trace| text("trace_id") == trace)
        && args.event.as_deref().is_none_or(|event| text("event").starts_with(event))
}

/// `time LEVEL message event=… field=value…`, the fields by name.
fn pretty(fields: &Map<String, Value>) -> String {
    let text = |name: &str| fields.get(name).map(plain).unwrap_or_default();
    let level = match fields.get("level").and_then(Value::as_i64).unwrap_or_default() {
        ..=10 => "TRACE",
        11..=20 => "DEBUG",
        21..=30 => "INFO",
        31..=40 => "WARN",
        41.. => "ERROR",
    };
    let mut line = format!("{} {level:5} {}", text("time"), text("msg"));
    let event = fields.get_key_value("event");
    let others = fields.iter().filter(|(name, _)| *name != "event");
    for (name, value) in
        event.into_iter().chain(others).filter(|(name, value)| !HEAD.contains(&name.as_str()) && !value.is_null())
    {
        let _ = write!(line, " {name}={}", plain(value));
    }
    tame(&line)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A terminal obeys escape sequences, also those in a document's title.
fn tame(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() && c != '\t' { c.escape_default().collect() } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"v":0,"name":"docket","msg":"attempt ended","level":40,"hostname":"h","pid":1,"time":"2026-01-02T03:04:05.6Z","target":"docket::fleet","line":1,"file":"x.rs","event":"job.retried","job.id":42,"trace_id":"ab","error":"a\u001b[31mb","suppressed":null}"#;

    fn args(more: &[&str]) -> Args {
        Args::try_parse_from(["logs"].iter().chain(more)).unwrap()
    }

    #[test]
    fn a_line_is_told_with_its_event_first_and_obeyed_by_no_terminal() {
        let shown = shown(&args(&[]), LINE).unwrap();
        assert_eq!(
            shown,
            "2026-01-02T03:04:05.6Z WARN  attempt ended event=job.retried error=a\\u{1b}[31mb job.id=42 \
             target=docket::fleet trace_id=ab"
        );
    }

    #[test]
    fn what_is_asked_for_is_shown() {
        for (more, is_shown) in [
            (&["--job", "42"][..], true),
            (&["--job", "4"], false),
            (&["--level", "warn"], true),
            (&["--level", "error"], false),
            (&["--event", "job."], true),
            (&["--event", "worker"], false),
            (&["--trace", "ab", "--job", "42"], true),
            (&["--trace", "a"], false),
        ] {
            assert_eq!(shown(&args(more), LINE).is_some(), is_shown, "{more:?}");
            assert_eq!(shown(&args(more), "thread panicked"), None);
        }
        assert_eq!(shown(&args(&[]), "thread \x1b panicked").unwrap(), "thread \\u{1b} panicked");
        assert_eq!(shown(&args(&[]), ""), None);
    }

    #[test]
    fn an_endless_line_and_bad_utf8_are_read_in_pieces() {
        let mut long = vec![b'x'; (LINE_MAX + 10) as usize];
        long.extend([0xff, b'\n']);
        assert!(show(&args(&["--level", "info"]), &long[..]).is_ok());
    }
}
