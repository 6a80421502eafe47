//! Fields on the console: `name=value`, without secrets and without control characters.

use super::redact::{REDACTED, is_secret_name, redact_text};
use std::fmt;
use tracing::field::Field;
use tracing_subscriber::{
    field::MakeExt,
    fmt::{
        FormatFields,
        format::{Writer, debug_fn},
    },
};

/// Formats the fields of events and spans.
pub(super) fn fields() -> impl for<'w> FormatFields<'w> + 'static {
    debug_fn(write_field).delimited(" ")
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if is_secret_name(field.name()) {
        return write!(writer, "{}={REDACTED}", field.name());
    }
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    for c in redact_text(&format!("{value:?}")).chars() {
        // A terminal obeys escape sequences, also those in a document's title.
        if c.is_control() { write!(writer, "{}", c.escape_default())? } else { writer.write_char(c)? }
    }
    Ok(())
}
