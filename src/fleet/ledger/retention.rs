//! Retention: ended rows that are old enough go, in small steps along the primary key.

use super::{paces::FORGET_PACES, pg::PgLedger};
use crate::fleet::{
    job::JobId,
    ports::{LedgerResult, Retention, RetentionStep},
};

/// $1 from this id, $2 rows a step, $3 and $4 ages in seconds of completed, and of failed and cancelled, $5 kinds with an
/// age of their own for completed, $6 those ages. Dead letters stay.
const STEP: &str = "\
with s as materialized (select id, status, kind, finished_at from jobs where id > $1 order by id limit $2
), g as (
  select s.id from s left join unnest($5::text[], $6::float8[]) o(kind, age) on o.kind = s.kind
  where (s.status = 'completed' and s.finished_at < now() - coalesce(o.age, $3) * interval '1 s')
     or (s.status in ('failed', 'cancelled') and s.finished_at < now() - $4 * interval '1 s')
), a as (delete from job_attempts t using g where t.job_id = g.id
), e as (delete from job_events t using g where t.job_id = g.id
), x as (delete from jobs j using g where j.id = g.id and j.finished_at is not null returning 1)
select (select max(id) from s), (select count(*) from x)";

/// Workers that are gone for a day and own nothing.
const WORKERS: &str = "\
delete from workers w where state in ('gone', 'dead') and beat_at < now() - interval '1 day'
  and not exists (select 1 from job_messages m where m.worker_id = w.id)";

impl PgLedger {
    pub(super) async fn retention_step(&self, from: JobId, rows: i32, keep: &Retention) -> LedgerResult<RetentionStep> {
        if from.0 == 0 {
            self.run("retention_workers", WORKERS, &[]).await?;
            self.run("retention_paces", FORGET_PACES, &[]).await?;
        }
        let kinds: Vec<&str> = keep.kinds.iter().map(|(kind, _)| kind.as_str()).collect();
        let ages: Vec<f64> = keep.kinds.iter().map(|(_, age)| age.as_secs_f64()).collect();
        let (completed, failed) = (keep.completed.as_secs_f64(), keep.failed.as_secs_f64());
        let row =
            self.run_one("retention", STEP, &[&from.0, &i64::from(rows), &completed, &failed, &kinds, &ages]).await?;
        let deleted = u64::try_from(row.get::<_, i64>(1)).unwrap_or_default();
        Ok(RetentionStep { next: row.get::<_, Option<i64>>(0).map(JobId), deleted })
    }
}
