//! Whether a binary and a schema fit.

use crate::{
    cli::exit::{Failure, Outcome},
    db,
};

/// Refuses to work with a schema that is not this binary's, and says what to do.
pub(in crate::cli) async fn check(client: &tokio_postgres::Client) -> Outcome {
    match misfit(db::applied(client).await?, db::newest()) {
        None => Ok(()),
        Some(text) => Err(Failure::usage(text)),
    }
}

/// Why they don't fit. A binary never works on a schema that it wasn't tested with: what it can't do is anything but
/// `docket migrate`.
fn misfit(database: Option<i32>, binary: i32) -> Option<String> {
    match database {
        Some(database) if database == binary => None,
        Some(database) if database > binary => Some(format!(
            "the database has schema version {database}, this binary knows {binary}: it can't start here, neither as \
             scheduler, worker or server nor to read or change a job; run a newer docket. Processes of this version that \
             run already go on working"
        )),
        Some(database) => Some(format!(
            "the database has schema version {database}, this binary needs {binary}: it can't start here, neither as \
             scheduler, worker or server nor to read or change a job; run docket migrate up (docket migrate plan shows \
             what that does), or the docket of version {database}"
        )),
        None => Some("the database has no schema of Docket: run docket migrate up".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::misfit;

    #[test]
    fn every_misfit_says_what_to_do() {
        assert_eq!(misfit(Some(3), 3), None);
        for (database, word) in [(None, "migrate up"), (Some(2), "migrate up"), (Some(4), "newer docket")] {
            let text = misfit(database, 3).unwrap();
            assert!(text.contains(word), "{text}");
        }
    }
}
