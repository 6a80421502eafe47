//! Logs: console for people, Bunyan JSON for machines, one line an event, no secrets.

mod console;
mod init;
mod line;
mod redact;
mod settings;
mod writer;

pub use init::{DroppedLines, LogError, LogGuard, init, subscriber};
pub use settings::{LogFormat, LogOutput, LogSettings};
