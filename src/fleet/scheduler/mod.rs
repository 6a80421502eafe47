//! From due to queued: dispatch, window, sweeps.
//!
//! `dispatch` picks and publishes, one task a lane; `sweeps` brings back what was lost and refreshes the `view`; the rest
//! is pure: `window`, `pointers` of a message, `health` of the publishes, `beats` of the workers, `ages` of the messages.
//! Any number of schedulers may run at once.

mod ages;
mod beats;
mod dispatch;
mod forgotten;
mod generation;
mod health;
mod pointers;
mod put_off;
mod retention;
mod run;
mod shared;
mod sweeps;
mod view;
mod window;

pub use run::{Scheduler, SchedulerSettings};
