//! The chaos: hidden worker with its kinds.

pub(super) mod worker;
