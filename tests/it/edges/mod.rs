//! What strangers can do at the edges of the system: send, publish, answer, fill. Each threat with its number.

mod addresses;
mod arguments;
mod corpus;
mod documents;
mod forged;
mod injection;
mod process;
mod sockets;
