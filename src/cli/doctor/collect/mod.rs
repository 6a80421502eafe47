//! Asking. Each part has a deadline of its own and runs beside the others, so that the whole takes as long as the slowest:
//! 15 seconds at most.

mod all;
mod broker;
mod database;
mod machine;
mod management;
mod needs;
mod settings;

pub(super) use all::collect;
