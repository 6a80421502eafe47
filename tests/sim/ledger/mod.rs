//! The simulated ledger: the rules of `src/fleet/ledger` in memory, behind a connection that fails.

mod dead;
mod holds;
mod operate;
mod port;
mod state;
mod sweeps;
mod tx;
mod window;
mod work;
mod workers;

pub(crate) use operate::{Act, is_over};
pub(crate) use port::SimLedger;
pub(crate) use state::{Job, State};
pub(crate) use tx::SimTx;
