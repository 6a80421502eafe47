//! What the tests of faults share.

mod arena;
mod audit;
mod disk;
pub(crate) mod jobs;
mod leftover;
mod net;
pub(crate) mod promise;
mod trial;

pub(crate) use arena::trial;
pub(crate) use disk::Moved;
pub(crate) use jobs::Load;
pub(crate) use net::Net;
pub(crate) use trial::{LONG, REAL, Trial, died, in_time, metric, print};
