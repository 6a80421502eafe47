//! Granicus: one page with the whole archive of a view.

mod archive;
mod ids;
mod site;
mod united;

pub use archive::parse_archive;
pub use site::Granicus;
