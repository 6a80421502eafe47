-- Enqueueing for other languages: a function that inserts a job inside the caller's own transaction, as
-- `docket::fleet::enqueue` does in Rust. Whoever may call it needs no right on any table; nobody may until it is granted
-- (infra/postgres/roles.sql).
-- Locks: none on a table.
-- Measured: some milliseconds, whatever the tables hold.

-- $2 and $1 are the job's arguments and kind; the rest has the defaults of a kind that says nothing of itself. A key that
-- is there already leaves its job as it is, and `existing` says so.
create or replace function docket_enqueue(
  kind            text,
  args            jsonb       default '{}',
  lane            text        default 'default',
  priority        int         default 100,
  idempotency_key text        default null,
  run_at          timestamptz default null,
  max_attempts    int         default 3,
  args_version    int         default 1,
  trace_id        uuid        default null
) returns table (id bigint, existing boolean, status text)
language plpgsql security definer as $$
#variable_conflict use_column
declare
  what  text;
  value text;
begin
  -- The rules of `NewJob::check`, with its words.
  for what, value in select * from (values ('kind', docket_enqueue.kind), ('lane', docket_enqueue.lane),
                                           ('idempotency key', coalesce(docket_enqueue.idempotency_key, 'none'))) n loop
    if value is null or value = '' or octet_length(value) > 512 or value ~ '[\u0001-\u001f\u007f-\u009f]' then
      raise exception '% % is not a name: 1 to 512 bytes, no control characters', what, quote_nullable(left(value, 60))
        using errcode = 'invalid_parameter_value';
    end if;
  end loop;
  if docket_enqueue.args is null then
    raise exception 'arguments of % are null: pass ''{}'' for none', docket_enqueue.kind using errcode = 'invalid_parameter_value';
  end if;
  if octet_length(docket_enqueue.args::text) > 65536 then
    raise exception 'arguments of % take % bytes, at most 65536', docket_enqueue.kind, octet_length(docket_enqueue.args::text)
      using errcode = 'invalid_parameter_value', hint = 'store the data and pass its key';
  end if;
  if coalesce(docket_enqueue.max_attempts, 0) not between 1 and 32767 or coalesce(docket_enqueue.args_version, 0) not between 1 and 32767 then
    raise exception 'max_attempts and args_version go from 1 to 32767' using errcode = 'invalid_parameter_value';
  end if;
  if docket_enqueue.priority is null or docket_enqueue.priority not between -1000 and 1000 then
    raise exception 'priority % is not from -1000 to 1000', docket_enqueue.priority using errcode = 'invalid_parameter_value';
  end if;
  if docket_enqueue.run_at = 'infinity' then
    raise exception 'run_at is infinity: such a job would never run' using errcode = 'invalid_parameter_value';
  end if;

  -- A row with the key may be deleted between the two statements: then the next turn inserts.
  for turn in 1..5 loop
    return query
      insert into jobs as j (kind, lane, args, args_version, priority, base_priority, idempotency_key, hold, hold_until,
                             max_attempts, trace_id)
      values (docket_enqueue.kind, docket_enqueue.lane, docket_enqueue.args, docket_enqueue.args_version,
              docket_enqueue.priority, docket_enqueue.priority, docket_enqueue.idempotency_key,
              case when docket_enqueue.run_at > now() then 'scheduled'::job_hold end,
              case when docket_enqueue.run_at > now() then docket_enqueue.run_at end,
              docket_enqueue.max_attempts, docket_enqueue.trace_id)
      on conflict (idempotency_key) where idempotency_key is not null do nothing
      returning j.id, false, j.status::text;
    if found then
      -- Waiting schedulers are told once a lane and transaction, however often this is called.
      perform pg_notify('docket_' || current_schema(), docket_enqueue.lane);
      return;
    end if;
    return query select j.id, true, j.status::text from jobs j where j.idempotency_key = docket_enqueue.idempotency_key;
    if found then
      return;
    end if;
  end loop;
  raise exception 'the job with key % is being deleted', quote_literal(docket_enqueue.idempotency_key)
    using errcode = 'serialization_failure', hint = 'try again';
end $$;

revoke all on function docket_enqueue(text, jsonb, text, int, text, timestamptz, int, int, uuid) from public;

-- It runs with its owner's rights, so it must find the tables of this schema and of no other, whatever the caller's
-- search_path says.
do $$ begin
  execute format('alter function docket_enqueue(text, jsonb, text, int, text, timestamptz, int, int, uuid) set search_path = %I, pg_temp',
                 current_schema());
end $$;
