//! The engine on real parts, with toy kinds.

mod accounts;
mod audit;
mod enqueue_function;
mod faults;
mod life;
mod load;
mod messages;
mod plans;
mod regressions;
mod roles;
mod severed;
pub(crate) mod toys;
