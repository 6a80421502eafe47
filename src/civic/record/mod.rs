//! What stands between the domain and the network: politeness, and the record of what sites answered.
//!
//! A request goes out at its host's pace ([`Live`]) and its answer is written down, outside of the job's transaction: the
//! response happened, whatever becomes of the job. A re-parse answers from that record alone.

mod live;
mod prune;
mod replay;
mod scope;
mod write;

pub use live::Live;
pub use prune::prune_record;
pub use replay::{Answers, Replay};
pub use scope::{Purpose, Scope};
pub use write::Recorder;
