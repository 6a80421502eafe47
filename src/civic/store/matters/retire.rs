//! Matters that no agenda shows are hidden.

use super::{
    super::MatterRowId,
    act::{self, ActError, Done},
};
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

/// What an undo needs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Retired {
    pub(super) matters: Vec<i64>,
}

const LISTED: &str = "\
select exists (select from matter_appearances a join agenda_items i on i.id = a.item_id where a.matter_id = $1 and i.listed)";

/// Hides matters, all of one city, until they appear again.
///
/// # Errors
/// When one is unknown, merged, of another city, or on an agenda; when the database fails. Nothing was done then.
pub async fn retire(client: &mut Client, matters: &[MatterRowId], actor: &str) -> Result<Done, ActError> {
    act::bounded(matters.len())?;
    let tx = client.transaction().await?;
    act::lock(&tx, matters[0]).await?;
    let first = act::target(&tx, matters[0]).await?;
    for id in matters {
        let target = act::target(&tx, *id).await?;
        if target.city != first.city {
            return Err(ActError::OtherCity(target.id, first.id));
        }
        if tx.query_one(LISTED, &[&id.0]).await?.get(0) {
            return Err(ActError::Listed(*id));
        }
    }
    let ids: Vec<i64> = matters.iter().map(|id| id.0).collect();
    let sql = "update matters set retired = true where id = any ($1) and not retired returning id";
    let changed: Vec<i64> = tx.query(sql, &[&ids]).await?.iter().map(|row| row.get(0)).collect();
    let act = act::write(&tx, ("retire", first.city), &ids, (None, &Retired { matters: changed }), actor).await?;
    tx.commit().await?;
    Ok(Done { act, matter: first.id, moved_appearances: 0 })
}
