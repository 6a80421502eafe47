//! docket.dead, the projection of the dead letters (R5): the ledger is the record, the queue shows it to people.

mod judge;
mod projection;

pub use projection::Projection;
