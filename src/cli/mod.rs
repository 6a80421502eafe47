//! The command line, one file a command.
//!
//! Exit codes: 0 done; 64 usage or configuration; 69 broker or database unavailable; 70 anything else that failed.
//! One-shot commands log to standard error; with `--json` standard output is one line of JSON and nothing else.

mod args;
mod exit;
mod local;
mod output;
mod role;
mod run;

mod demo;
mod dev;
mod migrate;
mod scheduler;
mod server;
mod worker;

pub use run::run;
