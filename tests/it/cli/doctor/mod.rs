//! `docket doctor`: set-ups that are broken on purpose, one way each, and one that is not.

mod broken;
mod healthy;
mod rights;
mod support;
