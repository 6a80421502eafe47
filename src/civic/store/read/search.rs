//! How meetings are found by words: rare ones through the indexes, common ones by walking the meetings from the latest on.
//!
//! A word that stands on every agenda has hundreds of thousands of places: to collect and sort them for a page of fifty takes
//! seconds, and walking the latest few meetings, milliseconds. For a word that stands nowhere it is the other way round.

use tokio_postgres::{Error, GenericClient};

/// Places up to which a word is rare.
const RARE: i64 = 20_000;

/// Counts the places, no further than it must.
const PLACES: &str = "\
select count(*) from (
  select 1 from meetings where to_tsvector('english', left(title || ' ' || body, 20000)) @@ websearch_to_tsquery('english', $1)
  union all
  select 1 from agenda_items where to_tsvector('english', left(title, 20000)) @@ websearch_to_tsquery('english', $1)
  union all
  select 1 from summaries where to_tsvector('english', left(body, 100000)) @@ websearch_to_tsquery('english', $1)
  limit $2) places";

/// Of a meeting `m`, with the words in $6. Each branch has an index. Summaries count while they are current.
const BY_INDEX: &str = "\
m.id in (
  select id from meetings
  where to_tsvector('english', left(title || ' ' || body, 20000)) @@ websearch_to_tsquery('english', $6)
  union select meeting_id from agenda_items
  where listed and to_tsvector('english', left(title, 20000)) @@ websearch_to_tsquery('english', $6)
  union select i.meeting_id from summaries s
  join agenda_items i on i.id = s.subject_id and i.summary_id = s.id and i.listed
  where s.subject_kind = 'item' and to_tsvector('english', left(s.body, 100000)) @@ websearch_to_tsquery('english', $6)
  union select t.id from summaries s join meetings t on t.id = s.subject_id and t.summary_id = s.id
  where s.subject_kind = 'meeting' and to_tsvector('english', left(s.body, 100000)) @@ websearch_to_tsquery('english', $6))";

/// The same. Scalars with a limit, because the planner may answer an `exists` for all meetings at once, by reading every item.
const BY_WALK: &str = "\
(to_tsvector('english', left(m.title || ' ' || m.body, 20000)) @@ websearch_to_tsquery('english', $6)
 or coalesce((select true from agenda_items i left join summaries s on s.id = i.summary_id
   where i.meeting_id = m.id and i.listed and (
     to_tsvector('english', left(i.title, 20000)) @@ websearch_to_tsquery('english', $6)
     or to_tsvector('english', left(s.body, 100000)) @@ websearch_to_tsquery('english', $6)) limit 1), false)
 or coalesce((select true from summaries s
   where s.id = m.summary_id and to_tsvector('english', left(s.body, 100000)) @@ websearch_to_tsquery('english', $6)
   limit 1), false))";

/// A condition on a meeting `m` that finds these words, which are $6 of the statement.
pub(super) async fn condition<C: GenericClient + Sync>(client: &C, words: Option<&str>) -> Result<&'static str, Error> {
    let Some(words) = words else { return Ok("$6::text is null") };
    let places: i64 = client.query_one(PLACES, &[&words, &(RARE + 1)]).await?.get(0);
    Ok(if places > RARE { BY_WALK } else { BY_INDEX })
}
