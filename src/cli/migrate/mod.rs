//! `docket migrate`

mod args;
mod check;
mod plan;
mod rehearse;
mod run;
mod verify;

pub(super) use args::Args;
pub(super) use check::check;
pub(super) use run::run;
