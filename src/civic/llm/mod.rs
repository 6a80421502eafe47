//! Summaries by a language model, or by extraction.
//!
//! [`Summariser`] is what handlers use. The default, [`extractive`], picks sentences of the source: no key, no cost,
//! the same answer each time. [`openai`] asks a model behind an OpenAI-compatible API.

mod call;
mod error;
pub mod extractive;
mod meter;
pub mod openai;
mod price;
mod prompt;
mod summariser;

pub use call::{Call, CallStatus, Outcome, Request, Usage};
pub use error::LlmError;
pub use price::{MicroUsd, Price, PriceTable};
pub use prompt::{PROMPT_VERSION, PromptType, clip};
pub use summariser::Summariser;
