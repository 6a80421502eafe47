//! The kinds of this binary.

use super::exit::Failure;
use crate::{
    civic::{self, Services, settings::CivicSettings},
    db::Pool,
    fleet::gate::Kinds,
};
use std::sync::Arc;

/// Their names and defaults. The pool never connects: no handler runs.
pub(super) fn kinds(pool: Pool) -> Result<Kinds, Failure> {
    let services = Services::new(pool, CivicSettings::default()).map_err(Failure::internal)?;
    Ok(Kinds::of(&civic::handlers(Arc::new(services))))
}
