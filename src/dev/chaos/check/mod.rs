//! The checker: pure functions over the evidence of a run. It asks neither fleet nor ledger.
//!
//! - `runs`: what each job's runs were, by the witnesses and by the ledger's attempts;
//! - `lost`, `double`, `dead`: what must not be, each job by itself, each with the words for it;
//! - `stuck`: what did not go on after a fault, or was left at the end;
//! - `figures`: counts, recovery times, the slope of memory, and whether the faults have bitten;
//! - [`verdict`]: all of it in one line.

mod dead;
mod double;
mod figures;
mod lost;
mod runs;
mod stuck;
pub mod verdict;

#[cfg(test)]
mod planted;
#[cfg(test)]
mod tests;

pub use verdict::{Verdict, judge};
