//! Chat completions of OpenAI, and of the many servers that speak the same protocol.

mod client;
mod wire;

pub use client::{OpenAi, OpenAiSettings, SetupError};

#[cfg(test)]
mod tests;
