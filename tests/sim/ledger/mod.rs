//! The simulated ledger: the rules of `src/fleet/ledger` in memory, behind a connection that fails.

mod port;
mod state;
mod tx;
mod upkeep;
mod work;

pub(crate) use port::SimLedger;
pub(crate) use state::{Job, State};
pub(crate) use tx::SimTx;
