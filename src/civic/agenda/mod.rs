//! Agendas that are only a document: the items in its text. Pure: text in, items out.
//!
//! Clerks number items in a hundred ways, and everything else that is printed has numbers too. So nothing is believed that
//! stands alone: a number counts as the next one of its row (`outline`), a row of advice on how to take part is left
//! out, and a result that no agenda could have is [`Suspect`]: then the meeting is summarised from the whole document.

mod attached;
mod file_number;
mod items;
mod lines;
mod marker;
mod outline;
mod parsed;
mod prose;
mod segment;
mod shared;
mod words;

pub use attached::attached;
pub use file_number::file_number;
pub use items::AgendaItem;
pub use parsed::{parsed_items, shows_day};
pub use segment::{Method, Segmented, Suspect, segment};
pub use shared::{Other, shared};

/// Rises when the same text would give other items.
pub const SEGMENTER: &str = "1";
