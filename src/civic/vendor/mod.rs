//! Vendors' sites and APIs, one folder each, and the HTTP client that they share.
//!
//! Parsers are pure functions over bytes: [`parse_file`] runs one on a recorded answer, without a network.

pub mod civicclerk;
pub mod civicplus;
mod clock;
mod error;
pub mod granicus;
mod group;
mod html;
pub mod http;
mod json;
pub mod legistar;
mod links;
pub mod primegov;
mod probe;
mod report;
mod rows;
mod site;
mod status;
mod text;
mod twice;
mod window;

pub use error::{ParseError, VendorError};
pub use group::host_group;
pub use probe::{Recognised, recognise};
pub use report::{ParseReport, parse_file};
pub use site::{Asked, Site, open};
pub use window::Window;
