//! The rows of paces: one decision at a time, whoever decides.

use crate::fleet::pace::state::{Pace, Start};
use jiff::Timestamp;
use std::time::Duration;
use tokio_postgres::{Client, Error, Row};

const LOCK: &str = "\
select spacing_ms, free_at, turn_at, going, going_until, starts, refused_since, clock_timestamp()
from paces where key = $1 for update";

const MAKE: &str = "\
insert into paces (key, label, spacing_ms, free_at, turn_at) values ($1, $2, 0, 'epoch', 'epoch') on conflict (key) do nothing";

const WRITE: &str = "\
update paces set spacing_ms = $2, free_at = $3, turn_at = $4, going = $5, going_until = $6, starts = $7, refused_since = $8,
       used_at = now() where key = $1";

/// The jobs that wait for a turn: of each key as many as start in the next second, the most urgent first, or one where a turn
/// takes longer. A key gives them once in that time, whatever became of the last ones: who finds no turn waits again.
pub(super) const LIFT_PACES: &str = "\
with open as (
  select p.key, greatest(1, ceil(1000.0 / greatest(p.spacing_ms, 1)))::bigint as n from paces p
  where p.free_at <= now() + interval '1 s' and p.lift_at <= now()
    and exists (select from jobs j where j.hold_key is not null and j.hold_key = p.key and coalesce(j.hold = 'limit', false))
  for update of p skip locked
), given as (
  update paces p set lift_at = now() + greatest(900, p.spacing_ms) * interval '1 ms' from open where p.key = open.key
  returning p.key, open.n
), h as (
  select l.tid from given g cross join lateral (
    select j.ctid as tid from jobs j where j.hold_key is not null and j.hold_key = g.key and coalesce(j.hold = 'limit', false)
    order by j.priority desc, j.id limit least(g.n, $1) for update skip locked) l
)
update jobs j set hold = null, hold_key = null, hold_until = now() from h where j.ctid = h.tid and j.status = 'pending' returning j.id";

/// Keys that nobody has used for a week: documents lie on hosts of all names.
pub(super) const FORGET_PACES: &str = "\
delete from paces p where used_at < now() - interval '7 days' and free_at < now()
  and not exists (select from jobs j where j.hold_key is not null and j.hold_key = p.key and coalesce(j.hold = 'limit', false))";

/// Whose pace, and the label of its metrics.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// What is paced.
    pub key: &'a str,
    /// Of a closed set.
    pub label: &'a str,
}

/// Decides on a pace while nobody else can; `now` is the database's clock.
///
/// # Errors
/// When the database fails.
pub async fn change<T>(
    client: &mut Client,
    Named { key, label }: Named<'_>,
    decide: impl FnOnce(Pace, Timestamp) -> (Pace, T),
) -> Result<T, Error> {
    let tx = client.transaction().await?;
    let row = match tx.query_opt(LOCK, &[&key]).await? {
        Some(row) => row,
        None => {
            tx.execute(MAKE, &[&key, &label]).await?;
            tx.query_one(LOCK, &[&key]).await?
        }
    };
    let (from, now) = (of(&row), row.get(7));
    let (to, answer) = decide(from.clone(), now);
    if from != to {
        let names: Vec<i64> = to.going.iter().map(|start| start.name).collect();
        let until: Vec<Timestamp> = to.going.iter().map(|start| start.until).collect();
        let spacing = i32::try_from(to.spacing.as_millis()).unwrap_or(i32::MAX);
        let Pace { free_at, turn_at, starts, refused_since, .. } = to;
        tx.execute(WRITE, &[&key, &spacing, &free_at, &turn_at, &names, &until, &starts, &refused_since]).await?;
    }
    tx.commit().await?;
    Ok(answer)
}

fn of(row: &Row) -> Pace {
    let (names, until): (Vec<i64>, Vec<Timestamp>) = (row.get(3), row.get(4));
    Pace {
        spacing: Duration::from_millis(row.get::<_, i32>(0).unsigned_abs().into()),
        free_at: row.get(1),
        turn_at: row.get(2),
        going: names.into_iter().zip(until).map(|(name, until)| Start { name, until }).collect(),
        starts: row.get(5),
        refused_since: row.get(6),
    }
}
