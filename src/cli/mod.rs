//! The command line, one file a command.
//!
//! Exit codes: 0 done; 64 usage or configuration; 65 an audit found something (of jobs, or of matters); 69 broker or database unavailable; 70 anything else that failed. What
//! was asked for and isn't there is usage; so is a database that answers and refuses the user, the password or the
//! database's name: waiting would not help. Two more: 1, it ran and the answer is no (`chaos`, `drill`,
//! `agendas segment`, `vendors probe`); 75, a chaos that proves nothing, try again.
//!
//! One-shot commands log to standard error; with `--json` standard output is one line of JSON and nothing else.

mod actor;
mod acts;
mod args;
mod client;
mod confirm;
mod detail;
mod exit;
mod exported;
mod input;
mod kinds;
mod local;
mod notify;
mod output;
mod probe;
mod role;
mod run;
mod since;

mod agendas;
mod audit;
mod bench;
mod breakers;
mod chaos;
mod cities;
mod config;
mod cost;
mod courtesy;
mod dead;
mod demo;
mod dev;
mod doctor;
mod documents;
mod drill;
mod enqueue;
mod healthcheck;
mod jobs;
mod lanes;
mod log_level;
mod logs;
mod matters;
mod metrics;
mod migrate;
mod queue;
mod reparse;
mod scheduler;
mod server;
mod token;
mod topology;
mod vendors;
mod worker;
mod workers;

pub use run::run;
