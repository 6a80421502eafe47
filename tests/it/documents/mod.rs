//! The text of documents: real ones against an oracle, and ones made to do harm.

mod agendas;
mod hostile;
pub(crate) mod made;
mod oracle;
mod ordinary;
