//! Summaries by a language model, or by extraction.
