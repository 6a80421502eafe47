-- What each part of a fleet may do in the database: group roles without a login, to be granted to the accounts that
-- log in. Run it as the owner of the tables (who needs CREATEROLE the first time), and again after each migration:
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f infra/postgres/roles.sql
--   create role fleet_worker login password '…' in role docket_worker;
--
-- Unqualified, like the migrations: it grants on the tables that the search_path finds, so several fleets share the
-- roles and not the rights. A stolen worker account can't delete a job, change what it is to do, or give it a new round,
-- which the guard trigger asks of whoever revives a dead letter; it judges what the rights allow.
begin;

do $$
declare name text;
begin
  foreach name in array array['docket_viewer', 'docket_producer', 'docket_worker', 'docket_scheduler', 'docket_server', 'docket_operator'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
  end loop;
  -- Start from nothing, so that a right that is taken out of this file is taken from the roles.
  foreach name in array array['docket_viewer', 'docket_producer', 'docket_worker', 'docket_scheduler', 'docket_server', 'docket_operator'] loop
    execute format('revoke all on all tables in schema %I from %I', current_schema(), name);
    execute format('revoke all on all sequences in schema %I from %I', current_schema(), name);
    execute format('grant usage on schema %I to %I', current_schema(), name);
  end loop;
  foreach name in array array['docket_viewer', 'docket_worker', 'docket_scheduler', 'docket_server', 'docket_operator'] loop
    execute format('grant select on all tables in schema %I to %I', current_schema(), name);
  end loop;
end $$;

-- Enqueues through one function and sees nothing.
grant execute on function docket_enqueue(text, jsonb, text, int, text, timestamptz, int, int, uuid) to docket_producer, docket_server;

-- Claims, runs and books jobs; its handlers write the domain's tables and enqueue what follows. `losses`, `round`,
-- `cancel_requested` and everything that says what a job is are not its to write.
grant insert on jobs to docket_worker;
grant update (status, epoch, message_id, worker_id, queued_at, started_at, finished_at, failed_at, dead_published_gen, failures,
              priority, hold, hold_key, hold_until, counted, open_children, failed_children, requeued_from, error_class,
              last_error, output) on jobs to docket_worker;
grant insert, update, delete on job_messages to docket_worker;
grant usage on sequence job_message_seq to docket_worker;
grant insert on job_attempts, job_events to docket_worker;
-- With retention.completed = 0 a worker deletes what it completes: give its login account this, which this file neither
-- gives nor takes: grant delete on jobs, job_attempts, job_events to fleet_worker;
grant insert on workers to docket_worker;
grant update (beat, beat_at, state, run_us) on workers to docket_worker;
grant insert, delete on quarantine to docket_worker;
grant insert, update on meetings, agenda_items, document_refs, matters, matter_appearances to docket_worker;
grant insert, delete on city_syncs to docket_worker;
-- An item whose file number was corrected leaves its old matter.
grant delete on matter_appearances to docket_worker;
grant insert on meeting_changes to docket_worker;
grant insert on agenda_segments to docket_worker;
grant insert on document_changes to docket_worker;
grant insert on meeting_aliases, meeting_revisions, documents, extractions, summaries, llm_ledger, llm_answers to docket_worker;
grant insert, update on llm_spend, llm_pauses to docket_worker;
grant insert, update, delete on llm_reservations to docket_worker;
grant update (synced_at) on cities to docket_worker;
grant insert, update on breakers, paces to docket_worker;
grant insert on responses, response_bodies to docket_worker;
grant update (seen_at) on response_bodies to docket_worker;

-- Dispatches, sweeps, keeps docket.dead, and deletes what is old.
grant update (status, epoch, message_id, queued_at, finished_at, failed_at, dead_published_gen, losses, priority, hold,
              hold_key, hold_until, counted, open_children, failed_children, requeued_from, error_class, last_error) on jobs
  to docket_scheduler;
grant delete on jobs to docket_scheduler;
-- With civic.follow = on it enqueues the listings of cities that are due.
grant insert on jobs to docket_scheduler;
grant insert, update, delete on job_messages to docket_scheduler;
grant usage, select on sequence job_message_seq to docket_scheduler;
grant insert, delete on job_attempts, job_events to docket_scheduler;
grant insert, delete on workers to docket_scheduler;
grant update (beat, beat_at, state, run_us) on workers to docket_scheduler;
grant update on broker_state to docket_scheduler;
grant insert, delete on quarantine to docket_scheduler;
grant insert, update on audit_verdict to docket_scheduler;
grant update (lift_at), delete on paces to docket_scheduler;
grant delete on responses, response_bodies to docket_scheduler;
-- It books the calls of models whose workers died.
grant insert on llm_ledger to docket_scheduler;
grant insert, update on llm_spend to docket_scheduler;
grant update, delete on llm_reservations to docket_scheduler;

-- Reads all; writes what the API's operators do: enqueue, cancel, requeue, discard, undo, pause.
grant insert on jobs to docket_server;
grant update (status, epoch, message_id, queued_at, finished_at, failed_at, dead_published_gen, failures, losses, priority, round,
              hold, hold_key, hold_until, counted, open_children, failed_children, requeued_from, cancel_requested) on jobs
  to docket_server;
grant insert on job_events to docket_server;
grant update (dead_left) on broker_state to docket_server;
grant insert, delete on paused_kinds, paused_lanes to docket_server;

-- The same by the command line, and the cities that are followed.
grant docket_server to docket_operator;
grant insert on cities to docket_operator;
grant update (outcome, detail), delete on city_syncs to docket_operator;
grant insert, update, delete on matters, matter_appearances, matter_aliases to docket_operator;
grant insert on matter_acts to docket_operator;

grant update on breakers to docket_operator;

commit;
