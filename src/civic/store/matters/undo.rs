//! An act is taken back. What appeared since then stays.

use super::{
    super::{CityId, MatterRowId},
    act::{self, ActError, Alias, Appearance, Done},
    merge::Merged,
    retire::Retired,
    split::Split,
    track::LOCK,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_postgres::{Client, Error, Transaction, types::Json};

const ACT: &str = "\
select a.city_id, a.act, a.matters, a.detail, exists (select from matter_acts u where u.undoes = a.id)
from matter_acts a where a.id = $1";

/// A later act on one of the same matters, that stands.
const RESTS: &str = "\
select a.id from matter_acts a
where a.matters && $2 and a.id > $1 and a.act <> 'undo' and not exists (select from matter_acts u where u.undoes = a.id)
order by a.id desc limit 1";

/// Undoes an act. Later acts on its matters must have been undone first.
///
/// # Errors
/// When there is no such act, it was undone, or another rests on it; when the database fails. Nothing was done then.
pub async fn undo(client: &mut Client, act: i64, actor: &str) -> Result<Done, ActError> {
    let tx = client.transaction().await?;
    let row =
        tx.query_opt("select city_id from matter_acts where id = $1", &[&act]).await?.ok_or(ActError::NoAct(act))?;
    let city = CityId(row.get(0));
    tx.execute(LOCK, &[&city.0]).await?;
    let row = tx.query_one(ACT, &[&act]).await?;
    let (kind, matters): (String, Vec<i64>) = (row.get(1), row.get(2));
    if kind == "undo" || row.get(4) {
        return Err(ActError::Undone(act));
    }
    if let Some(later) = tx.query_opt(RESTS, &[&act, &matters]).await? {
        return Err(ActError::RestedOn(act, later.get(0)));
    }
    let detail = row.try_get::<_, Json<Value>>(3)?.0;
    let (matter, moved_appearances) = match kind.as_str() {
        "merge" => unmerge(&tx, city, &read(detail)).await?,
        "split" => unsplit(&tx, city, &read(detail)).await?,
        _ => {
            let retired: Retired = read(detail);
            tx.execute("update matters set retired = false where id = any ($1)", &[&retired.matters]).await?;
            (matters[0], 0)
        }
    };
    let undone = act::write(&tx, ("undo", city), &matters, (Some(act), &json!({})), actor).await?;
    tx.commit().await?;
    Ok(Done { act: undone, matter: MatterRowId(matter), moved_appearances })
}

/// An act's detail is written by this code only, and never changed.
fn read<T: DeserializeOwned>(detail: Value) -> T {
    serde_json::from_value(detail).expect("an act's detail is what its kind wrote")
}

/// What is in the merged matter now and belongs to one that went into it: what came from there, and what was tracked since
/// by a key that led there.
const BACK: &str = "\
update matter_appearances set matter_id = $2
where matter_id = $1 and (item_id = any ($3) or (key = any ($4) and item_id <> all ($5)))";

async fn unmerge(tx: &Transaction<'_>, city: CityId, merged: &Merged) -> Result<(i64, u64), Error> {
    let mut moved = 0;
    for from in &merged.from {
        let own: Vec<i64> =
            from.appearances.iter().map(|row| row.item_id).filter(|item| !merged.kept.contains(item)).collect();
        let keys: Vec<&str> =
            std::iter::once(from.key.as_str()).chain(from.aliases.iter().map(|alias| alias.key.as_str())).collect();
        moved += tx.execute(BACK, &[&merged.into, &from.matter, &own, &keys, &merged.kept]).await?;
        tx.execute("delete from matter_aliases where city_id = $1 and key = any ($2)", &[&city.0, &keys]).await?;
        lead(tx, city, &from.aliases).await?;
    }
    // An item that was an appearance of several was kept once; one that has gone to another matter since stays there.
    let theirs: Vec<i64> = merged.from.iter().map(|from| from.matter).chain([merged.into]).collect();
    for row in merged.from.iter().flat_map(|from| &from.appearances) {
        if merged.from.iter().filter(|from| from.appearances.iter().any(|r| r.item_id == row.item_id)).count() > 1
            || merged.kept.contains(&row.item_id)
        {
            put(tx, row, &theirs).await?;
        }
    }
    Ok((merged.into, moved))
}

async fn unsplit(tx: &Transaction<'_>, city: CityId, split: &Split) -> Result<(i64, u64), Error> {
    let moved = tx
        .execute("update matter_appearances set matter_id = $2 where matter_id = $1", &[&split.made, &split.from])
        .await?;
    tx.execute("delete from matter_aliases where matter_id = $1", &[&split.made]).await?;
    lead(tx, city, &split.aliases).await?;
    tx.execute("delete from matters where id = $1", &[&split.made]).await?;
    Ok((split.from, moved))
}

/// Writes an appearance as it was, unless its item appears as another matter than `theirs` by now.
async fn put(tx: &Transaction<'_>, row: &Appearance, theirs: &[i64]) -> Result<(), Error> {
    let sql = "insert into matter_appearances (matter_id, item_id, attachments_hash, seen_at, key, rule) \
               select $1, $2, $3, $4::text::timestamptz, $5, $6 \
               where not exists (select from matter_appearances where item_id = $2 and matter_id <> all ($7)) on conflict (matter_id, item_id) do nothing";
    let Appearance { matter_id, item_id, attachments_hash, seen_at, key, rule } = row;
    tx.execute(sql, &[matter_id, item_id, attachments_hash, seen_at, key, rule, &theirs]).await.map(drop)
}

async fn lead(tx: &Transaction<'_>, city: CityId, aliases: &[Alias]) -> Result<(), Error> {
    let sql = "insert into matter_aliases (city_id, key, matter_id, act_id) values ($1, $2, $3, $4)";
    for alias in aliases {
        tx.execute(sql, &[&city.0, &alias.key, &alias.matter_id, &alias.act_id]).await?;
    }
    Ok(())
}
