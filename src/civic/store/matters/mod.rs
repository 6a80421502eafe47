//! Matters: what comes up again and again until it is decided.
//!
//! Which matter an item belongs to, `civic::model::identify` says; here is what is written. Operators merge, split and
//! retire matters; what they did stays in `matter_acts`, and keys that lead elsewhere since then in `matter_aliases`.

mod act;
mod audit;
mod merge;
mod read;
mod retire;
mod split;
mod track;
mod undo;

pub use act::{ActError, Done};
pub use audit::{CityFindings, audit};
pub use merge::merge;
pub use read::{ActView, AppearanceView, MatterView, MatterWhole, list, show};
pub use retire::retire;
pub use split::split;
pub use track::{RetrackError, count, retrack, track};
pub use undo::undo;
