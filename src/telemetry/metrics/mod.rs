//! The recorder, and what every process exports.

mod install;
mod render;
mod runtime;
mod touch;

pub use install::{InstallError, Metrics, UPKEEP};
pub use render::withdraw;
pub use touch::{Known, touch};
