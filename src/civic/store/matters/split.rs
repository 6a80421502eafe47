//! Some appearances of a matter become a matter of their own.

use super::{
    super::{ItemId, MatterRowId},
    act::{self, ActError, Alias, Appearance, Done},
};
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;
use uuid::Uuid;

/// What an undo of a split needs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Split {
    pub(super) from: i64,
    pub(super) made: i64,
    /// The appearances that left, as they were.
    pub(super) appearances: Vec<Appearance>,
    /// Where an operator had led their items before.
    pub(super) aliases: Vec<Alias>,
}

/// It has no file number: nobody knows whether that of the other one was wrong, or shared.
const MAKE: &str = "\
insert into matters (city_id, key, name, kind, status, rule)
select m.city_id, $2, coalesce((select i.title from agenda_items i where i.id = $3), m.name), m.kind, m.status, 'split'
from matters m where m.id = $1 returning id";

/// Takes `items` out of a matter, into a new one. The same items stay there when they are tracked again.
///
/// # Errors
/// When the matter is unknown or merged, an item is no appearance of it, or none would be left; when the database fails.
/// Nothing was done then.
pub async fn split(client: &mut Client, matter: MatterRowId, items: &[ItemId], actor: &str) -> Result<Done, ActError> {
    act::bounded(items.len())?;
    let tx = client.transaction().await?;
    act::lock(&tx, matter).await?;
    let target = act::target(&tx, matter).await?;
    let (mut leaving, staying): (Vec<_>, Vec<_>) =
        act::appearances(&tx, matter).await?.into_iter().partition(|row| items.contains(&ItemId(row.item_id)));
    if let Some(strange) = items.iter().find(|item| !leaving.iter().any(|row| row.item_id == item.0)) {
        return Err(ActError::NoAppearance(*strange, matter));
    }
    if staying.is_empty() {
        return Err(ActError::NothingLeft(matter));
    }
    leaving.sort_by_key(|row| row.item_id);
    let ids: Vec<i64> = leaving.iter().map(|row| row.item_id).collect();
    let keys: Vec<String> = ids.iter().map(|id| format!("item:{id}")).collect();
    let mut aliases = act::aliases(&tx, matter).await?;
    aliases.retain(|alias| keys.contains(&alias.key));

    let key = format!("split:{}", Uuid::new_v4());
    let made: i64 = tx.query_one(MAKE, &[&matter.0, &key, &ids[0]]).await?.get(0);
    let split = Split { from: matter.0, made, appearances: leaving, aliases };
    let act = act::write(&tx, ("split", target.city), &[matter.0, made], (None, &split), actor).await?;
    let sql = "update matter_appearances set matter_id = $2 where matter_id = $1 and item_id = any ($3)";
    let moved_appearances = tx.execute(sql, &[&matter.0, &made, &ids]).await?;
    let lead = "insert into matter_aliases as l (city_id, key, matter_id, act_id) select $1, key, $3, $4 from unnest($2::text[]) key \
                on conflict (city_id, key) do update set matter_id = excluded.matter_id, act_id = excluded.act_id";
    tx.execute(lead, &[&target.city.0, &keys, &made, &act]).await?;
    tx.commit().await?;
    Ok(Done { act, matter: MatterRowId(made), moved_appearances })
}
