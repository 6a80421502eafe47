//! `docket doctor`: what is wrong with this set-up, and how to mend it.
//!
//! - `collect` asks the database, the broker, its management API and the machine, all at once, each within a deadline, and
//!   fills `facts`; it changes nothing;
//! - `judge` is pure: facts in, findings out, so that each check is a unit test;
//! - `command` puts them together, `report` shows them; docs/DOCTOR.md has a section for each `check`.
//!
//! What can't be found out is a finding too, and keeps nothing else from being looked at.

mod check;
mod collect;
mod command;
mod facts;
mod finding;
mod judge;
mod report;

pub(super) use command::{Args, run};
