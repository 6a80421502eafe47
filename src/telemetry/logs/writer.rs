//! Writers between the formatter and the output.

use super::line::clean;
use std::io::{self, Write};
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// Passes events, cleaned, and nothing for spans: the formatter writes a START and an END line for each of them, and
/// has no switch for it. A layer filter would lose the spans' fields too.
#[derive(Clone, Debug)]
pub(super) struct EventsOnly<M>(pub M);

/// The writer of one record.
pub(super) struct Record<W>(Option<W>);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for EventsOnly<M> {
    type Writer = Record<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Record(Some(self.0.make_writer()))
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        Record((!meta.is_span()).then(|| self.0.make_writer_for(meta)))
    }
}

impl<W: Write> Write for Record<W> {
    /// The formatter writes each record in one call.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if let (Some(writer), Some(line)) = (&mut self.0, clean(record)) {
            writer.write_all(&line)?;
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}
