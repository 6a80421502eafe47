//! The engine on real parts, with toy kinds.

mod faults;
mod life;
mod load;
mod plans;
mod regressions;
mod severed;
pub(crate) mod toys;
