//! What operators' acts on matters share: their locks, their refusals, and the row that each leaves.

use super::{
    super::{CityId, ItemId, MatterRowId},
    track::LOCK,
};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Error, Transaction, types::Json};

/// Matters or items of one act: its row must stay readable.
pub(super) const ACT_MAX: usize = 100;

/// Why an act was refused. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such matter.
    #[error("there is no matter {0}; see docket matters list")]
    NoMatter(MatterRowId),
    /// It leads elsewhere.
    #[error("matter {0} was merged into {1}: use that one, or undo the merge (docket matters show {1})")]
    Merged(MatterRowId, MatterRowId),
    /// A matter with itself.
    #[error("matter {0} can't be merged into itself, and is named once: give others to merge")]
    Itself(MatterRowId),
    /// Matters of two cities.
    #[error("matter {0} is of another city than matter {1}: a matter never crosses cities")]
    OtherCity(MatterRowId, MatterRowId),
    /// Nothing, or too much, to act on.
    #[error("an act is about 1 to {ACT_MAX} matters or items, not {0}: give fewer at once")]
    HowMany(usize),
    /// The item is not there.
    #[error("item {0} is no appearance of matter {1}; see docket matters show {1}")]
    NoAppearance(ItemId, MatterRowId),
    /// Nothing would be left.
    #[error("that would leave matter {0} without any appearance: leave at least one, or merge it into another")]
    NothingLeft(MatterRowId),
    /// It is still shown.
    #[error("matter {0} is still on an agenda: only what no agenda shows can be retired; see docket matters show {0}")]
    Listed(MatterRowId),
    /// No such act.
    #[error("there is no act {0}; docket matters show MATTER lists those of a matter")]
    NoAct(i64),
    /// It is an undo, or was undone.
    #[error("act {0} was undone already, or is an undo itself: repeat what it did instead")]
    Undone(i64),
    /// Others rest on it.
    #[error("act {1} rests on act {0}: undo act {1} first")]
    RestedOn(i64, i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Error),
}

/// An act that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Its number: `docket matters undo` takes it.
    pub act: i64,
    /// The matter that is there now.
    pub matter: MatterRowId,
    /// Appearances that moved.
    pub moved_appearances: u64,
}

/// An appearance, as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Appearance {
    pub(super) matter_id: i64,
    pub(super) item_id: i64,
    pub(super) attachments_hash: String,
    pub(super) seen_at: String,
    pub(super) key: Option<String>,
    pub(super) rule: Option<String>,
}

/// An alias, as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alias {
    pub(super) key: String,
    pub(super) matter_id: i64,
    pub(super) act_id: i64,
}

/// A matter that may be acted on.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) id: MatterRowId,
    pub(super) city: CityId,
    pub(super) key: String,
}

const TARGET: &str = "\
select m.city_id, m.key, l.matter_id from matters m
left join matter_aliases l on l.city_id = m.city_id and l.key = m.key where m.id = $1";

/// Has the city to itself until the transaction ends.
pub(super) async fn lock(tx: &Transaction<'_>, matter: MatterRowId) -> Result<(), ActError> {
    let row = tx.query_opt("select city_id from matters where id = $1", &[&matter.0]).await?;
    let city: i64 = row.ok_or(ActError::NoMatter(matter))?.get(0);
    tx.execute(LOCK, &[&city]).await?;
    Ok(())
}

/// The matter, if it is there and not merged away. Ask after [`lock`].
pub(super) async fn target(tx: &Transaction<'_>, id: MatterRowId) -> Result<Target, ActError> {
    let row = tx.query_opt(TARGET, &[&id.0]).await?.ok_or(ActError::NoMatter(id))?;
    match row.get::<_, Option<i64>>(2) {
        Some(into) => Err(ActError::Merged(id, MatterRowId(into))),
        None => Ok(Target { id, city: CityId(row.get(0)), key: row.get(1) }),
    }
}

/// How many an act is about.
pub(super) fn bounded(count: usize) -> Result<(), ActError> {
    if (1..=ACT_MAX).contains(&count) { Ok(()) } else { Err(ActError::HowMany(count)) }
}

/// Writes an act down and tells its number.
pub(super) async fn write(
    tx: &Transaction<'_>,
    (act, city): (&str, CityId),
    matters: &[i64],
    (undoes, detail): (Option<i64>, &impl Serialize),
    actor: &str,
) -> Result<i64, ActError> {
    let detail = serde_json::to_value(detail).expect("plain structs of texts and numbers");
    let sql = "insert into matter_acts (city_id, act, matters, undoes, detail, actor) values ($1, $2, $3, $4, $5, $6) returning id";
    let row = tx.query_one(sql, &[&city.0, &act, &matters, &undoes, &Json(detail), &actor]).await?;
    Ok(row.get(0))
}

/// Appearances of a matter.
pub(super) async fn appearances(tx: &Transaction<'_>, matter: MatterRowId) -> Result<Vec<Appearance>, Error> {
    let sql = "select matter_id, item_id, attachments_hash, seen_at::text, key, rule from matter_appearances \
               where matter_id = $1 order by item_id";
    let rows = tx.query(sql, &[&matter.0]).await?;
    let read = |row: &tokio_postgres::Row| Appearance {
        matter_id: row.get(0),
        item_id: row.get(1),
        attachments_hash: row.get(2),
        seen_at: row.get(3),
        key: row.get(4),
        rule: row.get(5),
    };
    Ok(rows.iter().map(read).collect())
}

/// Keys that lead to a matter.
pub(super) async fn aliases(tx: &Transaction<'_>, matter: MatterRowId) -> Result<Vec<Alias>, Error> {
    let sql = "select key, matter_id, act_id from matter_aliases where matter_id = $1 order by key";
    let rows = tx.query(sql, &[&matter.0]).await?;
    Ok(rows.iter().map(|row| Alias { key: row.get(0), matter_id: row.get(1), act_id: row.get(2) }).collect())
}
