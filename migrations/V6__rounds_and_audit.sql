-- A job that failed for good comes back in a new round, or not at all; and the place where the audit keeps its verdict.
--
-- The guard asks for `round + 1` when `failed` or `dead_letter` becomes pending. A worker may write the status and not
-- the round (infra/postgres/roles.sql), so a stolen worker account can't revive a dead letter. Every version's requeue
-- has written the new round, so older binaries work on beside it. In steps, each of which may be repeated.
-- Locks: jobs ACCESS EXCLUSIVE in the first step, for some milliseconds, waited for at most 0.3 s; the second step takes
--   none that anybody could wait for.
-- Measured: some milliseconds, whatever the tables hold: no row is read and none is written.

-- step: transaction
-- The first lock waits for a vacuum to be gone without anybody waiting behind it; the second then has only the fleet's
-- own short transactions before it.
lock table jobs in share update exclusive mode;
set local lock_timeout = '300ms';
lock table jobs in access exclusive mode;
drop trigger if exists job_guard on jobs;
create trigger job_guard after update on jobs for each row
when ((new.status <> old.status or new.epoch <> old.epoch) and not (new.epoch = old.epoch + 1 and case old.status
    when 'processing'  then new.status in ('completed','pending','failed','dead_letter','cancelled')
    when 'queued'      then new.status in ('processing','pending','cancelled')
    when 'pending'     then new.status in ('queued','processing','cancelled') or (new.status is not distinct from old.requeued_from)
    when 'failed'      then new.status = 'cancelled' or (new.status = 'pending' and new.round = old.round + 1)
    when 'dead_letter' then new.status = 'cancelled' or (new.status = 'pending' and new.round = old.round + 1)
    else false end))
execute function job_refuse();

-- step: transaction
-- One row: what the last audit found, written every few seconds by one scheduler.
create table if not exists audit_verdict (
  one       boolean primary key default true check (one),
  judged_at timestamptz not null default now(),
  verdict   jsonb not null
);
