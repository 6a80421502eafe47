//! The engine on real parts, with toy kinds.

mod accounts;
mod audit;
mod deadly;
mod degraded;
mod deleted;
mod direct;
mod enqueue_function;
mod faults;
mod life;
mod load;
mod messages;
mod plans;
mod pressure;
mod regressions;
mod roles;
mod severed;
mod stuck;
mod together;
pub(crate) mod toys;
