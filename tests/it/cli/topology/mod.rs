//! `docket topology` against a real broker, and against what only pretends to be one.

mod apply;
mod check;
mod foreign;
mod lanes;
mod strangers;
mod support;
