//! Database errors as people can use them.

use crate::telemetry::chain;
use tokio_postgres::error::SqlState;

/// One line: the server's own message, or what the connection suffered, without the URL or a password.
#[must_use]
pub fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    chain(error)
}

/// True for trouble of the database itself, which says nothing of the statement.
///
/// The connection is lost, resources are short, an operator intervened, or a deadlock or serialization failure asks for a
/// repeat. A statement that ran into its own deadline is not among them.
#[must_use]
pub fn is_passing(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else { return true };
    if *code == SqlState::QUERY_CANCELED {
        return false;
    }
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
        || ["08", "53", "57"].contains(&&code.code()[..2])
}
