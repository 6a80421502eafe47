//! What strangers can do at the edges of the system: send, publish, answer, fill. Each threat with its number.

mod addresses;
mod answers;
mod arguments;
mod corpus;
mod documents;
mod exhaustion;
mod forged;
mod injection;
mod packet;
mod planted;
pub(crate) mod process;
mod refusals;
mod secrets;
mod sockets;
