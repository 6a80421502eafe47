//! That a matter has come up.

use super::super::{CityId, ItemId, MatterRowId, cities, items};
use crate::{
    civic::model::{CitySlug, Fingerprint, Identity, ParsedMatter, WebUrl, identify},
    db::Statements,
};
use std::collections::BTreeSet;
use tokio_postgres::Error;

/// Acts on a city's matters go alone; appearances go together. The number is of this lock only.
pub(super) const LOCK_SHARED: &str = "select pg_advisory_xact_lock_shared(1685, hashint8($1::bigint))";
pub(super) const LOCK: &str = "select pg_advisory_xact_lock(1685, hashint8($1::bigint))";

/// Where the key leads: to what an operator said of this item, or of this key, or to the matter of this key. An item is one
/// appearance of one matter: where its file number was corrected, it leaves the other one. A matter without a name has the
/// title of its first item.
const TRACK: &str = "\
with led as (
  select matter_id from matter_aliases where city_id = $1 and key in ($2, 'item:' || $7::bigint)
  order by key = $2 limit 1
), written as (
  insert into matters as m (city_id, key, file, name, kind, status, rule)
  select $1, $2, $3, coalesce($4, $10), $5, $6, $9 where not exists (select from led)
  on conflict (city_id, key) do update set
    file = coalesce(excluded.file, m.file), name = coalesce($4, m.name, $10),
    kind = coalesce(excluded.kind, m.kind), status = coalesce(excluded.status, m.status),
    rule = coalesce(m.rule, excluded.rule), retired = false
  returning id
), seen_again as (
  update matters m set status = coalesce($6, m.status), retired = false from led where m.id = led.matter_id
), target as (
  select id from written union all select matter_id from led
), gone as (
  delete from matter_appearances where item_id = $7 and matter_id <> (select id from target)
)
insert into matter_appearances as a (matter_id, item_id, attachments_hash, key, rule)
select id, $7, $8, $2, $9 from target
on conflict (matter_id, item_id) do update set
  attachments_hash = excluded.attachments_hash, key = excluded.key, rule = excluded.rule
returning matter_id";

/// Writes that a matter appears as this item, and tells as which: a merged one leads elsewhere. Call it in a transaction.
///
/// # Errors
/// When the database fails.
pub async fn track<C: Statements>(
    client: &C,
    city: CityId,
    (item, title): (ItemId, &str),
    (identity, matter): (&Identity, Option<&ParsedMatter>),
    attachments: &Fingerprint,
) -> Result<MatterRowId, Error> {
    let file = matter.and_then(|matter| matter.file.as_deref());
    let name = matter.and_then(|matter| matter.name.as_deref());
    let (kind, status) = (matter.and_then(|m| m.kind.as_deref()), matter.and_then(|m| m.status.as_deref()));
    client.execute(LOCK_SHARED, &[&city.0]).await?;
    let row = client
        .query_one(
            TRACK,
            &[
                &city.0,
                &identity.key,
                &file,
                &name,
                &kind,
                &status,
                &item.0,
                &attachments.as_str(),
                &identity.rule.as_str(),
                &title,
            ],
        )
        .await?;
    Ok(MatterRowId(row.get(0)))
}

/// Why an item was not tracked again.
#[derive(Debug, thiserror::Error)]
pub enum RetrackError {
    /// No such item.
    #[error("there is no item {0}; docket matters audit names those that need it")]
    NoItem(ItemId),
    /// Nothing identifies a matter.
    #[error("item {0} has no file number, no vendor's id, and a title that is too general to be a matter")]
    NoIdentity(ItemId),
    /// Its city can't be read.
    #[error(transparent)]
    City(#[from] cities::CityError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Tracks an item as what it is today, as the job `track_matter` does. Call it in a transaction.
///
/// # Errors
/// When there is no such item, nothing identifies its matter, or the database fails.
pub async fn retrack<C: Statements>(client: &C, item: ItemId) -> Result<MatterRowId, RetrackError> {
    let stored = items::find(client, item).await?.ok_or(RetrackError::NoItem(item))?;
    let city = cities::find(client, &stored.city).await?;
    let names_matters = city.city.source.vendor.names_matters();
    let identity =
        identify(stored.matter.as_ref(), &stored.title, names_matters).ok_or(RetrackError::NoIdentity(item))?;
    let sql = "select url from document_refs where item_id = $1 and meeting_id = $2 and status <> 'withdrawn'";
    let rows = client.query(sql, &[&item.0, &stored.meeting.0]).await?;
    let urls: BTreeSet<WebUrl> = rows.iter().filter_map(|row| WebUrl::parse(row.get(0)).ok()).collect();
    let attachments = Fingerprint::of(&urls);
    let told = (&identity, stored.matter.as_ref());
    Ok(track(client, city.id, (item, &stored.title), told, &attachments).await?)
}

/// How many matters a city has, and how often they appeared. Merged and retired ones are not counted.
///
/// # Errors
/// When the database fails.
pub async fn count<C: Statements>(client: &C, city: &CitySlug) -> Result<(i64, i64), Error> {
    let sql = "select count(distinct m.id), count(a.item_id) from matters m join cities c on c.id = m.city_id \
               left join matter_appearances a on a.matter_id = m.id \
               where c.slug = $1 and not m.retired \
               and not exists (select from matter_aliases l where l.city_id = m.city_id and l.key = m.key)";
    let row = client.query_one(sql, &[&city.as_str()]).await?;
    Ok((row.get(0), row.get(1)))
}
