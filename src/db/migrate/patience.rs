//! Waiting for locks without making others wait.
//!
//! Whoever waits for a strong lock stops everyone who comes after him, so nobody here waits long: a step gives up after
//! [`LOCK_TIMEOUT`], lets the fleet pass, and tries again.

use super::{
    error::{MigrateError, is_lock},
    up::Tell,
};
use rand::Rng;
use std::time::Duration;
use tokio_postgres::Client;

/// For each lock. A little more than PostgreSQL's `deadlock_timeout`, after which an autovacuum that is in the way is
/// cancelled: with less, a large table under vacuum could never be changed.
pub(super) const LOCK_TIMEOUT: &str = "set local lock_timeout = '1200ms'";

/// Tries of one step; with the pauses about two minutes.
const TRIES: u32 = 40;
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Sessions that have worked in the schema for a second or more.
const HOLDERS: &str = "\
select distinct on (a.xact_start, a.pid) format('server process %s (%s, %s) in a transaction since %s s',
         a.pid, coalesce(nullif(a.application_name, ''), a.backend_type), coalesce(a.state, 'running'),
         extract(epoch from clock_timestamp() - a.xact_start)::int)
from pg_locks l join pg_stat_activity a on a.pid = l.pid join pg_class c on c.oid = l.relation
where c.relnamespace = to_regnamespace(quote_ident(current_schema())) and l.granted and a.pid <> pg_backend_pid()
  and a.xact_start < clock_timestamp() - interval '1 s'
order by a.xact_start, a.pid limit 3";

/// Counts the tries of one step.
#[derive(Debug, Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// Waits before another try, if `error` is a lock that wasn't to be had and tries are left.
    pub(super) async fn wait(
        &mut self,
        client: &Client,
        error: &tokio_postgres::Error,
        tell: &Tell<'_>,
    ) -> Result<bool, MigrateError> {
        if !is_lock(error) {
            return Ok(false);
        }
        self.0 += 1;
        let holders = Self::holders(client).await;
        if self.0 >= TRIES {
            return Err(MigrateError::Locked(holders));
        }
        tell(&format!("a lock is not to be had, letting others pass (try {} of {TRIES}): {holders}", self.0 + 1));
        pause(LONGEST_PAUSE.min(Duration::from_millis(200) * self.0)).await;
        Ok(true)
    }

    /// Who is in the way.
    pub(super) async fn holders(client: &Client) -> String {
        let rows = client.query(HOLDERS, &[]).await.unwrap_or_default();
        let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if found.is_empty() { "by many short transactions".to_owned() } else { found.join(", ") }
    }
}

/// Half to one and a half times as long.
pub(super) async fn pause(about: Duration) {
    let factor = rand::rng().random_range(0.5..1.5);
    tokio::time::sleep(about.mul_f64(factor)).await;
}
