//! What changed at meetings. Never changed itself.

use super::{CityId, MeetingId, RevisionId};
use crate::{civic::model::Change, db::Statements};
use serde_json::json;
use std::collections::BTreeSet;
use tokio_postgres::{Error, types::Json};

/// Changes of one row that are kept in full; an agenda that is another one altogether has thousands.
const KEPT: usize = 100;

const PUT: &str = "\
insert into meeting_changes (city_id, meeting_id, revision_id, kinds, detail) values ($1, $2, $3, $4, $5)";

/// Writes what changed; `changes` must not be empty.
///
/// # Errors
/// When the database fails.
pub async fn put<C: Statements>(
    client: &C,
    (city, meeting): (CityId, MeetingId),
    revision: Option<RevisionId>,
    changes: &[Change],
) -> Result<(), Error> {
    let kinds: BTreeSet<&str> = changes.iter().map(|change| change.kind.as_str()).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    let kept = &changes[..changes.len().min(KEPT)];
    let detail = json!({ "changes": kept, "more": changes.len() - kept.len() });
    let revision = revision.map(|revision| revision.0);
    client.execute(PUT, &[&city.0, &meeting.0, &revision, &kinds, &Json(detail)]).await.map(drop)
}
