-- Circuit breakers that the whole fleet shares. Older binaries don't know them, and ask vendors that are down as before; they
-- lift no job that waits for one: upgrade the schedulers first.
-- Locks: none that anybody could wait for; it only makes.
-- Measured: some milliseconds.

create table if not exists breakers (
  key        text collate "C" primary key check (key <> ''),
  label      text not null check (label <> ''),      -- of the metrics: a vendor
  state      text not null default 'closed' check (state in ('closed','open','half_open')),
  failures   int not null default 0 check (failures >= 0),
  failed_at  timestamptz,
  until      timestamptz,                            -- open: nobody calls before; half_open: the probe is given up then
  changed_at timestamptz not null default now(),
  reason     text,                                   -- of the last failure, or whose act it was
  check ((state = 'closed') = (until is null))
) with (fillfactor = 50);

-- Only an open one lets a probe through.
create or replace function breaker_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'breaker %: % may not become %', old.key, old.state, new.state using errcode = 'check_violation';
end $$;
drop trigger if exists breaker_guard on breakers;
create trigger breaker_guard before update on breakers for each row
when (old.state = 'closed' and new.state = 'half_open')
execute function breaker_refuse();
