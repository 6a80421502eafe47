//! A made-up model's server on loopback, which speaks the wire formats of OpenAI and Google.
//!
//! What it answers follows from what it is asked: sentences of the text, which the text proves. It has faults by plan, counts
//! its calls, and remembers what it was asked, so that tests and demonstrations can tell what a fleet would have paid for.

mod answer;
mod fault;
mod server;

pub use fault::Fault;
pub use server::{ModelServer, Seen};
