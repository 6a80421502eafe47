//! The Bunyan format: one line an event, with the fields of its spans, cleaned.

use super::line::clean;
use std::io::{self, Write};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

/// The formatter and its store of the spans' fields, without what they do for each span besides: a START and an END line,
/// and a clock between them. Nobody reads those, they have no switch, and a worker opens a span for every job.
pub(super) struct Json<W: for<'w> MakeWriter<'w> + 'static> {
    fields: JsonStorageLayer,
    lines: BunyanFormattingLayer<Clean<W>>,
}

impl<W: for<'w> MakeWriter<'w> + 'static> Json<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { fields: JsonStorageLayer, lines: BunyanFormattingLayer::new("docket".to_owned(), Clean(writer)) }
    }
}

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        self.fields.on_new_span(attributes, id, ctx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        self.fields.on_record(id, values, ctx);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.lines.on_event(event, ctx);
    }
}

/// A writer behind which no line has a secret.
#[derive(Clone, Debug)]
struct Clean<W>(W);

impl<'w, M: MakeWriter<'w>> MakeWriter<'w> for Clean<M> {
    type Writer = Clean<M::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Clean(self.0.make_writer())
    }

    fn make_writer_for(&'w self, meta: &Metadata<'_>) -> Self::Writer {
        Clean(self.0.make_writer_for(meta))
    }
}

impl<W: Write> Write for Clean<W> {
    /// The formatter writes each line in one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(cleaned) = clean(line) {
            self.0.write_all(&cleaned)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
