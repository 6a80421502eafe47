//! The HTTP side of a process: operations endpoints in each role, the API in the server role.
//!
//! One hyper loop of our own ([`serve`]) with a limit on everything a client can make grow: connections, headers,
//! bodies, time. `/metrics`, `/livez` and `/readyz` are answered by it; all else goes to the routes that the role brings
//! ([`api::router`] in the server role).

mod access;
pub mod api;
mod caller;
mod health;
mod level;
mod observe;
mod ops;
mod origin;
mod problem;
mod server;
mod service;
mod settings;
mod slots;
mod target;
mod tokens;

pub use access::TOKEN_MIN_BYTES;
pub use api::BULK_JOBS_MAX;
pub use caller::{Caller, Rates};
pub use health::{CheckResult, CheckStatus, Health};
pub use problem::Problem;
pub use server::{Routes, Running, ServeError, serve};
pub use settings::{HttpSettings, Limits};
pub use tokens::{Role, TOKEN_NAME_MAX, TOKENS_MAX, Token, TokenError, UnknownRole};
