//! The one HTTP client for vendors' sites and documents.
//!
//! Whoever can publish a link on a city's site chooses what this client asks for, so it trusts nothing: addresses are
//! checked when the connection is made, each redirect is followed by hand and checked again, sizes and times end.

mod address;
mod answer;
mod client;
mod error;
mod observe;
mod settings;

pub use address::is_global;
pub use answer::{Answer, Fetched, Response, Transport};
pub use client::HttpClient;
pub use error::{FetchError, Reach, redacted};
pub use settings::{Allowed, Ask, HttpSettings, PaceSettings, RequestId, TlsException, Validators};
