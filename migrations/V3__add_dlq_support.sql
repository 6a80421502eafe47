-- Dead letters: what failed for the last time is kept as such, and docket.dead shows it.
-- Expand only: both columns are null for every job that never failed, so no row is rewritten but the failed ones.

alter table jobs
  add column failed_at          timestamptz,   -- failed and dead_letter only: the key of their lists
  add column dead_published_gen int;           -- dead_letter only: the broker generation that holds its copy; 0: none yet

update jobs set failed_at = finished_at where status = 'failed';

alter table jobs drop constraint jobs_status;
alter table jobs drop constraint jobs_shape;
alter table jobs add constraint jobs_shape check (case status
    when 'pending'    then message_id is null and finished_at is null
    when 'queued'     then message_id is not null and queued_at is not null and hold is null and finished_at is null
    when 'processing' then message_id is not null and worker_id is not null and started_at is not null and hold is null and finished_at is null
    else finished_at is not null and hold is null end
    and (failed_at is not null) = (status in ('failed','dead_letter'))
    and (dead_published_gen is not null) = (status = 'dead_letter'));

create index jobs_failed on jobs (failed_at, id) where failed_at is not null;
create index jobs_dead   on jobs (dead_published_gen, id) where dead_published_gen is not null;

drop trigger job_guard on jobs;
create trigger job_guard after update on jobs for each row
when ((new.status <> old.status or new.epoch <> old.epoch) and not (new.epoch = old.epoch + 1 and case old.status
    when 'processing'  then new.status in ('completed','pending','failed','dead_letter','cancelled')
    when 'queued'      then new.status in ('processing','pending','cancelled')
    when 'pending'     then new.status in ('queued','processing','cancelled') or (new.status is not distinct from old.requeued_from)
    when 'failed'      then new.status in ('pending','cancelled')
    when 'dead_letter' then new.status in ('pending','cancelled')
    else false end))
execute function job_refuse();
