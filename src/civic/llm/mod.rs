//! Summaries by a language model, or by extraction.
//!
//! [`Summariser`] is what handlers use: a list of [`Provider`]s, asked in turn. The default, [`extractive`], picks sentences
//! of the source: no key, no cost, the same answer each time. [`client`] asks models over HTTP, behind an OpenAI-compatible
//! API or Google's. What is decided about an answer or an error is pure: [`next_step`], [`proof`], [`budget`], [`chunk`].

mod answer;
pub mod budget;
mod call;
pub mod chunk;
pub mod client;
mod company;
mod error;
pub mod estimate;
pub mod extractive;
mod gemini;
pub mod meter;
mod next_step;
mod openai;
mod price;
pub mod procedural;
mod prompt;
pub mod proof;
mod provider;
mod reply;
mod several;
mod summariser;

pub use answer::Answer;
pub use call::{Call, CallStatus, Lost, Outcome, Questions, Request, Usage};
pub use company::Company;
pub use error::LlmError;
pub use next_step::{MAX_UNUSABLE, MAX_WAIT, Next, Pause, next_step};
pub use price::{MicroUsd, Price, PriceTable};
pub use prompt::{PROMPT_VERSION, PromptType, clip};
pub use provider::{Answering, Provider, ProviderKind};
pub use summariser::Summariser;
