//! Configuration, one section a file. Everything comes from environment variables; each file's doc lists its own.
//!
//! Secrets come by environment or file only, never by a flag: other users of the machine can read a process's arguments.

mod civic;
mod connections;
mod fleet;
mod http;
mod lookup;

pub use civic::civic;
pub use connections::{Connections, amqp, connections, database_url, management};
pub use fleet::{FleetConfig, fleet};
pub use http::{http, http_token};
pub use lookup::{ConfigError, Environment};
