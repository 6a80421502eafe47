//! Matters, and one with all its appearances.

use super::super::{
    MatterRowId,
    read::{SummaryView, city_id, clamp, summary},
};
use crate::{civic::model::CitySlug, fleet::ledger::read::Page};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use tokio_postgres::{Error, GenericClient, Row};
use utoipa::ToSchema;

/// Appearances and acts of one matter that are shown.
const APPEARANCES_MAX: i64 = 1_000;
const ACTS_MAX: i64 = 100;

/// A matter in a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MatterView {
    /// The row.
    pub id: i64,
    /// Its city.
    pub city: String,
    /// What identifies it in its city.
    pub key: String,
    /// By which rule: `file`, `vendor_id`, `title`, or `split` by an operator; none: an older version's.
    pub rule: Option<String>,
    /// Its file number.
    pub file: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its kind in the vendor's words.
    pub kind: Option<String>,
    /// Its state in the vendor's words.
    pub status: Option<String>,
    /// How often it has come up.
    pub appearances: i64,
    /// The day of the first meeting that it came up at.
    #[schema(value_type = Option<String>, format = Date)]
    pub first_seen_on: Option<Date>,
    /// The day of the last one.
    #[schema(value_type = Option<String>, format = Date)]
    pub last_seen_on: Option<Date>,
}

/// A matter at a meeting.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AppearanceView {
    /// The meeting.
    pub meeting_id: i64,
    /// Its title.
    pub meeting: String,
    /// Its day.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// Its status.
    pub meeting_status: String,
    /// The item.
    pub item_id: i64,
    /// The item's title.
    pub title: String,
    /// What was decided.
    pub action: Option<String>,
    /// False: the agenda has dropped it.
    pub listed: bool,
    /// Hash of the addresses of its documents.
    pub attachments_hash: String,
    /// The evidence: the rule by which it was told, and the key.
    pub rule: Option<String>,
    /// See `rule`.
    pub key: Option<String>,
    /// When it was first tracked.
    pub seen_at: Timestamp,
}

/// An act of an operator.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ActView {
    /// Its number.
    pub id: i64,
    /// `merge`, `split`, `retire` or `undo`.
    pub act: String,
    /// The matters that it touched.
    pub matters: Vec<i64>,
    /// The act that it undoes.
    pub undoes: Option<i64>,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A matter with its appearances.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MatterWhole {
    /// The matter. Its id differs from the one that was asked for where that was merged into it.
    #[serde(flatten)]
    pub matter: MatterView,
    /// It is hidden: no agenda shows it.
    pub retired: bool,
    /// Other keys that lead to it.
    pub aliases: Vec<String>,
    /// The summary of its newest appearance with documents; of the newest one, if none has any.
    pub summary: Option<SummaryView>,
    /// Whose summary that is.
    pub summary_item_id: Option<i64>,
    /// Newest first; at most 1,000.
    pub appearances: Vec<AppearanceView>,
    /// What operators did to it, newest first; at most 100.
    pub acts: Vec<ActView>,
}

/// How often a matter `m` came up, and from when to when.
const SPAN: &str = "\
left join lateral (
  select count(*) as appearances, min(g.local_date) as first_on, max(g.local_date) as last_on
  from matter_appearances a join agenda_items i on i.id = a.item_id join meetings g on g.id = i.meeting_id
  where a.matter_id = m.id) span on true";

/// The summary of a matter `m`. Read each time rather than kept: so it is right after any merge, late summary or revision.
const CANONICAL: &str = "\
left join lateral (
  select i.id as item_id, s.body, s.model, s.prompt_version, s.created_at
  from matter_appearances a join agenda_items i on i.id = a.item_id join meetings g on g.id = i.meeting_id
  join summaries s on s.id = i.summary_id
  where a.matter_id = m.id and i.listed
  order by exists (select from document_refs d where d.meeting_id = i.meeting_id and coalesce(d.item_id, 0) = i.id
                     and d.status <> 'withdrawn') desc,
           g.local_date desc, g.local_time desc nulls last, i.id desc
  limit 1) canonical on true";

const COLUMNS: &str = "\
m.id, c.slug, m.key, m.rule, m.file, m.name, m.kind, m.status, span.appearances, span.first_on, span.last_on";

const WORDS: &str = "\
to_tsvector('english', left(coalesce(m.file, '') || ' ' || coalesce(m.name, ''), 20000)) @@ websearch_to_tsquery('english', $2)";

/// Matters, newest first; merged and retired ones are left out. None: there is no such city. `words` are looked for in the
/// file number and the name. `limit` is clamped to a page's.
///
/// # Errors
/// When the database fails.
pub async fn list<C: GenericClient + Sync>(
    client: &C,
    city: Option<&CitySlug>,
    words: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Option<Page<MatterView, i64>>, Error> {
    let limit = clamp(limit);
    let Some(city) = city_id(client, city).await? else { return Ok(None) };
    let found = if words.is_some() { WORDS } else { "$2::text is null" };
    // What each row's span costs is paid for the rows of the page only.
    let sql = format!(
        "select {COLUMNS} from (select m.* from matters m where ($1::bigint is null or m.city_id = $1) and {found} \
         and ($3::bigint is null or m.id < $3) and not m.retired \
         and not exists (select from matter_aliases l where l.city_id = m.city_id and l.key = m.key) \
         order by m.id desc limit $4) m join cities c on c.id = m.city_id {SPAN} order by m.id desc"
    );
    let rows = client.query(&sql, &[&city, &words, &before, &(limit + 1)]).await?;
    Ok(Some(Page::of(rows.iter().map(read).collect(), limit, |matter| matter.id)))
}

/// One matter; of a merged one, that into which it went.
///
/// # Errors
/// When the database fails.
pub async fn show<C: GenericClient + Sync>(client: &C, id: MatterRowId) -> Result<Option<MatterWhole>, Error> {
    let sql = format!(
        "select {COLUMNS}, m.retired, canonical.item_id, canonical.body, canonical.model, canonical.prompt_version, \
         canonical.created_at, (select array_agg(l.key order by l.key) from matter_aliases l where l.matter_id = m.id) \
         from matters asked left join matter_aliases led on led.city_id = asked.city_id and led.key = asked.key \
         join matters m on m.id = coalesce(led.matter_id, asked.id) join cities c on c.id = m.city_id {SPAN} {CANONICAL} \
         where asked.id = $1"
    );
    let Some(row) = client.query_opt(&sql, &[&id.0]).await? else { return Ok(None) };
    let matter = read(&row);
    Ok(Some(MatterWhole {
        retired: row.get(11),
        aliases: row.get::<_, Option<Vec<String>>>(17).unwrap_or_default(),
        summary_item_id: row.get(12),
        summary: summary(&row, 13),
        appearances: appearances(client, matter.id).await?,
        acts: acts(client, matter.id).await?,
        matter,
    }))
}

const APPEARANCES: &str = "\
select g.id, g.title, g.local_date, g.status, i.id, i.title, i.action, i.listed, a.attachments_hash, a.rule, a.key, a.seen_at
from matter_appearances a join agenda_items i on i.id = a.item_id join meetings g on g.id = i.meeting_id
where a.matter_id = $1 order by g.local_date desc, i.id desc limit $2";

async fn appearances<C: GenericClient + Sync>(client: &C, id: i64) -> Result<Vec<AppearanceView>, Error> {
    let rows = client.query(APPEARANCES, &[&id, &APPEARANCES_MAX]).await?;
    let read = |row: &Row| AppearanceView {
        meeting_id: row.get(0),
        meeting: row.get(1),
        date: row.get(2),
        meeting_status: row.get(3),
        item_id: row.get(4),
        title: row.get(5),
        action: row.get(6),
        listed: row.get(7),
        attachments_hash: row.get(8),
        rule: row.get(9),
        key: row.get(10),
        seen_at: row.get(11),
    };
    Ok(rows.iter().map(read).collect())
}

async fn acts<C: GenericClient + Sync>(client: &C, id: i64) -> Result<Vec<ActView>, Error> {
    let sql = "select id, act, matters, undoes, actor, at from matter_acts where matters @> array[$1::bigint] \
               order by id desc limit $2";
    let rows = client.query(sql, &[&id, &ACTS_MAX]).await?;
    let read = |row: &Row| ActView {
        id: row.get(0),
        act: row.get(1),
        matters: row.get(2),
        undoes: row.get(3),
        actor: row.get(4),
        at: row.get(5),
    };
    Ok(rows.iter().map(read).collect())
}

fn read(row: &Row) -> MatterView {
    MatterView {
        id: row.get(0),
        city: row.get(1),
        key: row.get(2),
        rule: row.get(3),
        file: row.get(4),
        name: row.get(5),
        kind: row.get(6),
        status: row.get(7),
        appearances: row.get(8),
        first_seen_on: row.get(9),
        last_seen_on: row.get(10),
    }
}
