-- Dead letters: what failed for the last time is kept as such, and docket.dead shows it.
--
-- Expand only. It is applied while a version-2 fleet works, and that fleet goes on working afterwards: see
-- migrations/README.md. In steps, each of which may be repeated; between any two of them the database is good for
-- version 2.
-- Locks: jobs ACCESS EXCLUSIVE in the first step, for some milliseconds, waited for at most 0.3 s; the others hold up
--   neither reads nor writes.
-- Measured: 5,000,000 jobs on a busy machine of 2 cores: 68 to 107 s in all, the first step under 0.2 s with its wait;
--   no statement of a fleet at work waited for more than 0.5 s (docs/UPGRADING.md).

-- step: transaction
-- The first lock waits for a vacuum to be gone without anybody waiting behind it; the second then has only the
-- fleet's own short transactions before it.
lock table jobs in share update exclusive mode;
set local lock_timeout = '300ms';
lock table jobs in access exclusive mode;
alter table jobs
  add column if not exists failed_at          timestamptz,   -- failed and dead_letter only: the key of their lists
  add column if not exists dead_published_gen int;           -- dead_letter only: the broker generation that holds its copy; 0: none yet
alter table jobs
  drop constraint if exists jobs_status,
  drop constraint if exists jobs_shape;
-- Not valid: new rows are checked, old ones are looked at in a later step. `failed` asks for no failed_at here, because
-- a version-2 worker doesn't write it; job_failed_at does, below.
alter table jobs add constraint jobs_shape check (case status
    when 'pending'    then message_id is null and finished_at is null
    when 'queued'     then message_id is not null and queued_at is not null and hold is null and finished_at is null
    when 'processing' then message_id is not null and worker_id is not null and started_at is not null and hold is null and finished_at is null
    else finished_at is not null and hold is null end
    and (failed_at is not null or status <> 'dead_letter')
    and (dead_published_gen is not null) = (status = 'dead_letter')) not valid;

drop trigger if exists job_guard on jobs;
create trigger job_guard after update on jobs for each row
when ((new.status <> old.status or new.epoch <> old.epoch) and not (new.epoch = old.epoch + 1 and case old.status
    when 'processing'  then new.status in ('completed','pending','failed','dead_letter','cancelled')
    when 'queued'      then new.status in ('processing','pending','cancelled')
    when 'pending'     then new.status in ('queued','processing','cancelled') or (new.status is not distinct from old.requeued_from)
    when 'failed'      then new.status in ('pending','cancelled')
    when 'dead_letter' then new.status in ('pending','cancelled')
    else false end))
execute function job_refuse();

-- failed_at is set in failed and dead_letter, and nowhere else. A writer of this version sees to it himself, and the
-- condition is all that he pays; for one of version 2, who knows no such column, the function does, in his own
-- statement. It is an AFTER trigger because a BEFORE trigger would lock each row first, on the way of every job, and
-- no check because a check refuses. A later version may refuse: when no version-2 binary is left.
create or replace function job_date_failure() returns trigger language plpgsql as $$
begin
  execute format('update %I.%I set failed_at = case when status in (''failed'',''dead_letter'') then finished_at end '
                 'where id = $1 and epoch = $2', tg_table_schema, tg_table_name) using new.id, new.epoch;
  return null;
end $$;
drop trigger if exists job_failed_at on jobs;
create trigger job_failed_at after insert or update on jobs for each row
when ((new.failed_at is not null) <> (new.status in ('failed','dead_letter')))
execute function job_date_failure();

-- What failed before this. Nothing else is written, so no other row grows.
-- step: batch jobs.id 10000
update jobs set failed_at = finished_at where id > $1 and id <= $2 and status = 'failed' and failed_at is null;

-- step: transaction
alter table jobs validate constraint jobs_shape;

-- step: concurrently
create index concurrently if not exists jobs_failed on jobs (failed_at, id) where failed_at is not null;
create index concurrently if not exists jobs_dead on jobs (dead_published_gen, id) where dead_published_gen is not null;
