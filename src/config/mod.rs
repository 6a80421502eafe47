//! Configuration, one section a file: what can be set stands in the catalogue of its section, and the reader beside it.
//!
//! Defaults, then the file, then variables, then flags: [`load()`] puts the layers together, and everything above reads one
//! [`Environment`]. `docs/CONFIGURATION.md` is [`reference()`].
//!
//! Secrets come by environment or file only, never by a flag: other users of the machine can read a process's arguments.

mod catalogue;
mod civic;
mod connections;
mod file;
mod fleet;
mod gate;
mod http;
mod kind;
mod layers;
mod log;
mod lookup;
mod models;
mod origin;
mod protocol;
mod reference;
mod regular;
mod rules;
mod setting;
mod show;
mod tokens;
mod traces;
mod units;
mod unknown;
mod worker;

#[cfg(test)]
mod tests;

pub use catalogue::catalogue;
pub use civic::{civic, follow, ocr, record_days};
pub use connections::{Connections, NO_BROKER, amqp, connections, database_url, has_no_broker, management};
pub use fleet::{FleetConfig, fleet};
pub use gate::max_pending;
pub use http::{http, http_token};
pub use kind::Kind;
pub use layers::{CommandLine, Problems, check_file, load, load_text, look, verify};
pub use log::log;
pub use lookup::{ConfigError, Environment};
pub use models::{budgets, price_table};
pub use origin::Origin;
pub use reference::reference;
pub use setting::{Role, Setting};
pub use show::{Shown, show};
pub use traces::traces;
pub use units::duration;
pub use worker::{WorkerConfig, worker};
