//! Vendors' sites and APIs, one folder each, and the HTTP client that they share.
//!
//! Parsers are pure functions over bytes: [`parse_file`] runs one on a recorded answer, without a network.

mod clock;
mod error;
pub mod http;
mod json;
pub mod legistar;
mod report;
mod status;
mod text;

pub use error::{ParseError, VendorError};
pub use report::{ParseReport, parse_file};
