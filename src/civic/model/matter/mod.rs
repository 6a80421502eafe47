//! What makes two appearances one matter. Pure.

mod audit;
mod file;
mod identity;
mod title;

pub use audit::{Finding, FindingKind, KnownMatter, SeenItem, audit, same_titles};
pub use file::file_key;
pub use identity::{Identity, MatterRule, identify};
pub use title::specific_title;
