//! The engine on real parts, with toy kinds.

mod enqueue_function;
mod faults;
mod life;
mod load;
mod plans;
mod regressions;
mod roles;
mod severed;
pub(crate) mod toys;
