//! The engine on real parts, with toy kinds.

mod faults;
mod life;
mod load;
mod plans;
mod regressions;
mod severed;
mod toys;
