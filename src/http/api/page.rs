//! Pages of lists.

use crate::{fleet::ledger::read::PAGE_MAX, http::Problem};

const DEFAULT_LIMIT: i64 = 50;

/// How many rows a page has.
pub(super) fn limit(asked: Option<i64>, hint: &'static str) -> Result<i64, Problem> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        limit => Err(Problem::bad_request(format!("limit is {limit}, it goes from 1 to {PAGE_MAX}"), hint)),
    }
}
