-- The ledger: every job, what is in flight, and who works. Unqualified: it runs under a search_path, so that several
-- fleets can share a database. PostgreSQL 13 or newer.
-- Locks: none that anybody could wait for; it only makes.
-- Measured: 30 ms on an empty schema.
--
-- What makes it fast, each measured before it was chosen:
--  1. no index mentions status, epoch, worker_id or a time that claim and complete write. The due index hangs on one
--     generated boolean that is false from dispatch on, so claim and complete can be heap-only (HOT) updates.
--  2. rows in flight are found through job_messages (one row a broker message = K jobs), not through an index on jobs.
--  3. the guard is an AFTER ROW trigger whose WHEN clause is the rule: the function runs only to refuse.
--  4. hot fixed-width columns first, varlena that changes next, varlena that never changes last: the WAL of a same-page
--     update carries only the bytes between the common prefix and the common suffix.

create type job_status as enum ('pending','queued','processing','completed','failed','dead_letter','cancelled');
create type job_hold   as enum ('scheduled','retry','paused','limit','breaker','budget','unknown_kind','children');

-- One nextval a dispatch statement gives 65,536 message ids. The sequence also is the sweeps' clock: what is below the
-- value that I saw ten seconds ago, on my own clock, is at least ten seconds old.
create sequence job_message_seq increment by 65536;

create table jobs (
  -- 8 bytes, never changes
  id                 bigint generated always as identity,
  created_at         timestamptz not null default now(),
  parent_id          bigint,
  -- 8 bytes, changes
  queued_at          timestamptz,            -- last dispatch or direct lease
  started_at         timestamptz,            -- last claim
  finished_at        timestamptz,            -- terminal states only
  hold_until         timestamptz,            -- held: due then at the latest. Not held: due since then, if it ever was held
  message_id         bigint,                 -- the dispatch that owns the row; null when pending
  worker_id          bigint,                 -- last claimant
  -- 4 bytes
  epoch              int not null default 0, -- the fence: +1 at each change of status
  open_children      int,                    -- null: never had children
  failed_children    int,
  status             job_status not null default 'pending',
  hold               job_hold,
  requeued_from      job_status,             -- set by requeue, cleared by claim and lease: what undo may return to
  -- 2 bytes
  priority           smallint not null default 100,
  base_priority      smallint not null default 100,
  failures           smallint not null default 0,
  losses             smallint not null default 0,
  max_attempts       smallint not null default 3,
  round              smallint not null default 0,
  -- 1 byte
  cancel_requested   boolean not null default false,
  counted            boolean not null default false,  -- a child that its parent has counted as ended
  due                boolean generated always as (status = 'pending' and hold is null) stored,
  -- varlena that changes
  hold_key           text,
  error_class        text collate "C",
  last_error         text,
  output             jsonb,
  -- varlena that never changes: the common suffix of the old and the new tuple
  args_version       smallint not null default 1,
  kind               text collate "C" not null,
  lane               text collate "C" not null default 'default',
  idempotency_key    text,
  trace_id           uuid,
  args               jsonb not null default '{}',
  constraint jobs_pkey primary key (id),
  constraint jobs_limits check (priority >= -1000 and priority <= 1000 and base_priority >= -1000 and base_priority <= 1000
    and max_attempts > 0 and failures >= 0 and losses >= 0 and round >= 0 and epoch >= 0
    and open_children >= 0 and failed_children >= 0),
  constraint jobs_status check (status <> 'dead_letter'),   -- V3 brings dead letters
  -- one CASE instead of five checks: it is evaluated at every insert and update
  constraint jobs_shape check (case status
    when 'pending'    then message_id is null and finished_at is null
    when 'queued'     then message_id is not null and queued_at is not null and hold is null and finished_at is null
    when 'processing' then message_id is not null and worker_id is not null and started_at is not null and hold is null and finished_at is null
    else finished_at is not null and hold is null end)
) with (fillfactor = 50,                                                               -- room for HOT updates
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100000,      -- by dead rows, not by table size
        autovacuum_vacuum_insert_scale_factor = 0.05,
        autovacuum_analyze_scale_factor = 0.05,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);                      -- truncation asks for an exclusive lock

-- The only index that the hot path writes besides the primary key. Priority first, then age.
create index jobs_due on jobs (lane, priority desc, id) where due;
-- All others are empty for a plain job: null keys are outside, so insert and update do not touch them.
create unique index jobs_idempotency on jobs (idempotency_key) where idempotency_key is not null;
create index jobs_held     on jobs (hold_until) where hold is not null;          -- lift by time, and parents that wait
create index jobs_held_key on jobs (hold_key, id) where hold_key is not null;    -- free by key
create index jobs_parent   on jobs (parent_id) where parent_id is not null;
create index jobs_suspect  on jobs (lane, priority desc, id) where due and losses >= 2;

-- One row a broker message or direct lease, written by the dispatch, taken over by the claim, deleted with the last of
-- its jobs. R1 to R4, R6, the window and the gauges of queued and processing read this table only.
create table job_messages (
  id           bigint primary key,
  queued_at    timestamptz not null default now(),
  published_at timestamptz,                  -- confirm, marked only when still unclaimed after 2 s
  claimed_at   timestamptz,
  worker_id    bigint,
  broker_gen   int,                          -- null: direct lease, never was in the broker
  band         smallint not null check (band between 0 and 2),   -- 2 high, 1 normal, 0 low
  lane         text collate "C" not null,
  kind         text collate "C" not null,    -- '' in a direct lease, which mixes kinds
  jobs         bigint[] not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off, autovacuum_analyze_scale_factor = 0.5);

-- A row for each ended attempt but a first-try success. No foreign key: it would lock the job row at each insert;
-- retention deletes these rows together with the job.
create table job_attempts (
  job_id      bigint not null,
  epoch       int not null,                  -- epoch during the attempt
  worker_id   bigint,
  started_at  timestamptz,
  ended_at    timestamptz not null default now(),
  round       smallint not null,
  attempt     smallint not null,             -- failures + losses at its end, in this round
  outcome     text not null check (outcome in ('completed','retry','failed','dead_letter','lost','released','cancelled')),
  error_class text,
  error       text,
  primary key (job_id, epoch)
);

create table job_events (
  id      bigint generated always as identity,
  job_id  bigint not null,
  at      timestamptz not null default now(),
  epoch   int not null,
  event   text not null,
  actor   text,
  detail  jsonb,
  primary key (job_id, id)                   -- one index, and it is the one that reads ask for
);

-- Workers and schedulers. The id is new at each process start: it is the fence of the process's name.
create table workers (
  id          bigint generated always as identity primary key,
  beat        bigint not null default 0,     -- a counter; whoever watches it uses a clock of their own
  beat_at     timestamptz not null default now(),   -- for people
  started_at  timestamptz not null default now(),
  slots       int not null check (slots >= 0),      -- 0: a scheduler
  state       text not null default 'up' check (state in ('up','draining','gone','dead')),
  name        text not null,
  lanes       text[] not null,
  kinds       text[] not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Kinds that an operator paused.
create table paused_kinds (
  kind      text collate "C" primary key,
  paused_at timestamptz not null default now(),
  actor     text
);

-- What the ledger knows of the broker: one row.
create table broker_state (
  one        boolean primary key default true check (one),
  generation int not null default 0 check (generation >= 0),   -- 0: no broker was ever seen
  dead_left  bigint not null default 0                         -- how often a job has left dead_letter
);
insert into broker_state default values;

-- Messages that nobody can read, for people; bounded by whoever writes here.
create table quarantine (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default now(),
  queue   text not null,
  reason  text not null,
  headers text not null check (octet_length(headers) <= 65536),
  body    bytea not null check (octet_length(body) <= 65536)
);

-- ---------------------------------------------------------------- guard
create function job_refuse() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    raise exception 'job %: a job starts pending at epoch 0, not % at %', new.id, new.status, new.epoch
      using errcode = 'check_violation', constraint = 'job_guard';
  end if;
  raise exception 'job %: % at epoch % may not become % at epoch %', old.id, old.status, old.epoch, new.status, new.epoch
    using errcode = 'check_violation', constraint = 'job_guard';
end $$;

-- Fires only for what is illegal. A change of status needs epoch + 1; epoch moves only with the status.
create trigger job_guard after update on jobs for each row
when ((new.status <> old.status or new.epoch <> old.epoch) and not (new.epoch = old.epoch + 1 and case old.status
    when 'processing'  then new.status in ('completed','pending','failed','cancelled')
    when 'queued'      then new.status in ('processing','pending','cancelled')
    when 'pending'     then new.status in ('queued','processing','cancelled') or (new.status is not distinct from old.requeued_from)
    when 'failed'      then new.status in ('pending','cancelled')
    else false end))
execute function job_refuse();

create trigger job_guard_insert after insert on jobs for each row
when (new.status <> 'pending' or new.epoch <> 0) execute function job_refuse();

-- One history: attempts that have a row, and first-try successes that tell it in theirs.
create view job_history as
  select job_id, epoch, round, attempt, worker_id, started_at, ended_at, outcome, error_class, error from job_attempts
  union all
  select id, epoch - 1, round, (failures + losses + 1)::smallint, worker_id, started_at, finished_at, 'completed', null, null
  from jobs where status = 'completed' and failures + losses = 0;
