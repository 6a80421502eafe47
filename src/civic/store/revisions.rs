//! What a source said of a meeting, each time that it said something new. Never changed.

use super::{MeetingId, RevisionId, meetings};
use crate::{
    civic::model::{Fingerprint, ParsedItem, ParsedMeeting, WebUrl, unsigned},
    db::Statements,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Error, types::Json};

/// A meeting with its agenda.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// What the listing said.
    pub meeting: ParsedMeeting,
    /// The agenda.
    pub items: Vec<ParsedItem>,
}

const APPEND: &str = "\
with added as (
  insert into meeting_revisions (meeting_id, number, fingerprint, content)
  select $1, coalesce(max(number), 0) + 1, $2, $3 from meeting_revisions where meeting_id = $1
  returning id)
update meetings set revision_id = added.id, updated_at = now() from added where meetings.id = $1 returning revision_id";

/// Adds a revision and makes it the current one; none when the current one says the same. Call it in a transaction:
/// it locks the meeting until the end.
///
/// # Errors
/// When the database fails.
pub async fn append<C: Statements>(
    client: &C,
    meeting: MeetingId,
    content: &Content,
) -> Result<Option<RevisionId>, Error> {
    let fingerprint = Fingerprint::of(content);
    if meetings::lock(client, meeting).await?.as_ref() == Some(&fingerprint) {
        return Ok(None);
    }
    let row = client.query_one(APPEND, &[&meeting.0, &fingerprint.as_str(), &Json(kept(content))]).await?;
    Ok(Some(RevisionId(row.get(0))))
}

const BEFORE: &str = "\
select b.content from meeting_revisions r join meeting_revisions b on b.meeting_id = r.meeting_id and b.number = r.number - 1
where r.id = $1";

/// What was said before a revision; none: it is the first one, or that one can't be read any more.
///
/// # Errors
/// When the database fails.
pub async fn before<C: Statements>(client: &C, revision: RevisionId) -> Result<Option<Content>, Error> {
    let Some(row) = client.query_opt(BEFORE, &[&revision.0]).await? else { return Ok(None) };
    Ok(serde_json::from_value(row.try_get::<_, Json<serde_json::Value>>(0)?.0).ok())
}

/// What is stored: a signature is a key, and no use once it has expired.
fn kept(content: &Content) -> Content {
    let mut content = content.clone();
    for attachment in content.items.iter_mut().flat_map(|item| &mut item.attachments) {
        if let Some(plain) = unsigned(attachment.url.as_str()).and_then(|plain| WebUrl::parse(&plain).ok()) {
            attachment.url = plain;
        }
    }
    content
}

/// The items of the current revision; none: the agenda was never read.
///
/// # Errors
/// When the database fails, or the stored revision is of a version that can't be read.
pub async fn items<C: Statements>(client: &C, meeting: MeetingId) -> Result<Vec<ParsedItem>, Error> {
    let sql =
        "select r.content -> 'items' from meetings m join meeting_revisions r on r.id = m.revision_id where m.id = $1";
    let Some(row) = client.query_opt(sql, &[&meeting.0]).await? else { return Ok(Vec::new()) };
    Ok(row.try_get::<_, Json<Vec<ParsedItem>>>(0)?.0)
}

/// Whether a revision is the current one, and stays so until the transaction ends: it locks the meeting.
///
/// # Errors
/// When the database fails.
pub async fn hold_current<C: Statements>(client: &C, meeting: MeetingId, revision: RevisionId) -> Result<bool, Error> {
    meetings::lock(client, meeting).await?;
    is_current(client, revision).await
}

const CURRENT: &str = "\
select exists (select from meeting_revisions r join meetings m on m.id = r.meeting_id
               where r.id = $1 and m.revision_id = r.id)";

/// Whether a revision is what the source said last.
///
/// # Errors
/// When the database fails.
pub async fn is_current<C: Statements>(client: &C, revision: RevisionId) -> Result<bool, Error> {
    let row = client.query_one(CURRENT, &[&revision.0]).await?;
    Ok(row.get(0))
}

/// A meeting's current revision; none: its agenda was never read.
///
/// # Errors
/// When the database fails.
pub async fn current<C: Statements>(client: &C, meeting: MeetingId) -> Result<Option<RevisionId>, Error> {
    let row = client.query_opt("select revision_id from meetings where id = $1", &[&meeting.0]).await?;
    Ok(row.and_then(|row| row.get::<_, Option<i64>>(0)).map(RevisionId))
}

const NEWER: &str = "\
select exists (select from meetings m join meeting_revisions r on r.id = m.revision_id where m.id = $1 and r.seen_at > $2)";

/// Whether the source has said something new since, until the transaction ends: it locks the meeting.
///
/// # Errors
/// When the database fails.
pub async fn is_newer<C: Statements>(client: &C, meeting: MeetingId, than: Timestamp) -> Result<bool, Error> {
    meetings::lock(client, meeting).await?;
    Ok(client.query_one(NEWER, &[&meeting.0, &than]).await?.get(0))
}
