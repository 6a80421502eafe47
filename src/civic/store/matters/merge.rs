//! Several matters become one.

use super::{
    super::MatterRowId,
    act::{self, ActError, Alias, Appearance, Done},
};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Transaction};

/// What an undo of a merge needs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Merged {
    pub(super) into: i64,
    /// Items that were appearances of it before.
    pub(super) kept: Vec<i64>,
    pub(super) from: Vec<From>,
}

/// One of the matters that went into it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct From {
    pub(super) matter: i64,
    pub(super) key: String,
    /// Its appearances, as they were.
    pub(super) appearances: Vec<Appearance>,
    /// Keys that led to it.
    pub(super) aliases: Vec<Alias>,
}

/// Merges `from` into `into`. Their appearances move there, and later ones follow: their keys lead to it from now on.
///
/// # Errors
/// When a matter is unknown, merged already, of another city, or `into` itself; when the database fails. Nothing was done
/// then.
pub async fn merge(
    client: &mut Client,
    into: MatterRowId,
    from: &[MatterRowId],
    actor: &str,
) -> Result<Done, ActError> {
    act::bounded(from.len())?;
    let tx = client.transaction().await?;
    act::lock(&tx, into).await?;
    let target = act::target(&tx, into).await?;
    let mut merged = Merged { into: into.0, kept: Vec::new(), from: Vec::new() };
    merged.kept = act::appearances(&tx, into).await?.iter().map(|row| row.item_id).collect();
    for (n, id) in from.iter().enumerate() {
        if *id == into || from[..n].contains(id) {
            return Err(ActError::Itself(*id));
        }
        let source = act::target(&tx, *id).await?;
        if source.city != target.city {
            return Err(ActError::OtherCity(*id, into));
        }
        let (appearances, aliases) = (act::appearances(&tx, *id).await?, act::aliases(&tx, *id).await?);
        merged.from.push(From { matter: id.0, key: source.key, appearances, aliases });
    }
    let touched: Vec<i64> = std::iter::once(into.0).chain(from.iter().map(|id| id.0)).collect();
    let act = act::write(&tx, ("merge", target.city), &touched, (None, &merged), actor).await?;
    let mut moved_appearances = 0;
    for source in &merged.from {
        moved_appearances += redirect(&tx, (source.matter, &source.key), into.0, (target.city.0, act)).await?;
    }
    tx.commit().await?;
    Ok(Done { act, matter: into, moved_appearances })
}

/// An item that is an appearance of both is one of `into` only.
async fn redirect(
    tx: &Transaction<'_>,
    (matter, key): (i64, &str),
    into: i64,
    (city, act): (i64, i64),
) -> Result<u64, tokio_postgres::Error> {
    let both = "delete from matter_appearances a where matter_id = $1 \
                and exists (select from matter_appearances b where b.matter_id = $2 and b.item_id = a.item_id)";
    tx.execute(both, &[&matter, &into]).await?;
    let moved =
        tx.execute("update matter_appearances set matter_id = $2 where matter_id = $1", &[&matter, &into]).await?;
    tx.execute("update matter_aliases set matter_id = $2, act_id = $3 where matter_id = $1", &[&matter, &into, &act])
        .await?;
    let lead = "insert into matter_aliases (city_id, key, matter_id, act_id) values ($1, $2, $3, $4)";
    tx.execute(lead, &[&city, &key, &into, &act]).await?;
    Ok(moved)
}
