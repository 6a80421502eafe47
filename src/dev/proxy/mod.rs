//! A TCP proxy that hurts what goes through it: slow, silent, cut off, cut at a chosen byte or message.
//!
//! One [`Proxy`] listens on loopback for one server. [`Mode`]s say how bytes go through, each [`Way`] for itself;
//! [`Doors`] what new connections meet; a [`Trap`] ends the connection on which something was seen for the nth time: a
//! `COMMIT` whose answer then never arrives, a confirm that the broker did send. Both protocols are read only as far as
//! their messages' borders, so that a trap cuts between two of them and not at chance bytes; nothing is ever changed.

mod amqp;
mod connection;
mod frames;
mod mode;
mod postgres;
mod server;
#[cfg(test)]
mod tests;
mod trap;

pub use mode::{Doors, End, Mode, Way};
pub use server::{Protocol, Proxy};
pub use trap::{Event, Sprung, Trap};
