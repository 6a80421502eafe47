//! Results on standard output: a table for people, one line of JSON for programs.

use super::exit::{Failure, Outcome};
use comfy_table::{ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};
use serde::Serialize;
use std::io::Write;

/// One line of JSON.
pub(super) fn json(value: &impl Serialize) -> Outcome {
    let line = serde_json::to_string(value).map_err(Failure::internal)?;
    text(&line)
}

/// One line of JSON, or many that a person can read, for what is JSON either way.
pub(super) fn document(value: &impl Serialize, one_line: bool) -> Outcome {
    if one_line {
        return json(value);
    }
    text(&serde_json::to_string_pretty(value).map_err(Failure::internal)?)
}

/// A line of text. A reader that went away (`| head`) is no error.
pub(super) fn text(line: &str) -> Outcome {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::internal(format!("can't write the result: {e}")))
        }
        _ => Ok(()),
    }
}

/// A remark on standard error, which nobody needs to read.
pub(super) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "docket: {line}");
}

/// A table that fits the terminal.
pub(super) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Outcome {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| harmless(&cell)));
    }
    text(&table.to_string())
}

/// Errors quote what strangers sent: their control characters must not reach a terminal.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
