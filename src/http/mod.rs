//! The HTTP side of a process: operations endpoints in each role, the API in the server role.
//!
//! One hyper loop of our own ([`serve`]) with a limit on everything a client can make grow: connections, headers,
//! bodies, time. `/metrics`, `/livez` and `/readyz` are answered by it; all else goes to the routes that the role brings
//! ([`api::router`] in the server role).

mod access;
pub mod api;
mod health;
mod observe;
mod ops;
mod problem;
mod server;
mod service;
mod settings;

pub use access::TOKEN_MIN_BYTES;
pub use health::{CheckResult, CheckStatus, Health};
pub use problem::Problem;
pub use server::{Routes, Running, ServeError, serve};
pub use settings::{HttpSettings, Limits};
