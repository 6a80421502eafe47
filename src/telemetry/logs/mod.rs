//! Logs: console for people, Bunyan JSON for machines, one line an event, no secrets.

mod console;
mod init;
mod json;
mod level;
mod line;
mod redact;
mod repeats;
mod settings;

pub use init::{LogError, LogGuard, dropped_lines, init, subscriber};
pub use level::{LEVEL_FOR_MAX, level, set_level};
pub use settings::{LogFormat, LogOutput, LogSettings};
