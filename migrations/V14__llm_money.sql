-- Money for language models: what was spent by account and period, what calls under way may cost, answers that were paid for,
-- models that are asked nothing for a while; more about each call in the ledger; summaries that are held back, and the pages
-- that a summary rests on.
--
-- Older binaries go on: they fill none of the new columns and none of the new tables, so what they spend counts for no budget.
-- Stop their workers before budgets are set. In steps, each of which may be repeated.
-- Locks: llm_ledger and summaries ACCESS EXCLUSIVE in the first step, SHARE UPDATE EXCLUSIVE on summaries in the second, each
--   for some milliseconds more than the second takes to read the table; the fleet's jobs are not touched.
-- Measured: some milliseconds; the second step reads `summaries`, a second for each two million rows, and the third this
--   month's part of `llm_ledger`.

-- step: transaction
create table if not exists llm_spend (
  scope           text collate "C" not null check (scope = 'total' or scope ~ '^(city|model):'),
  period          text not null check (period in ('day','month')),
  starts_on       date not null,                     -- of UTC's calendar
  spent_micro_usd bigint not null default 0 check (spent_micro_usd >= 0),
  primary key (scope, period, starts_on)
) with (fillfactor = 50);
-- A call that is under way: what it may cost at most, and which question it asks, so that no other job pays for the same.
create table if not exists llm_reservations (
  input_hash     text collate "C" not null check (input_hash ~ '^[0-9a-f]{64}$'),
  prompt_version text collate "C" not null,
  model          text collate "C" not null,
  holder         uuid not null,
  city           text collate "C" not null,
  micro_usd      bigint not null check (micro_usd >= 0),
  job_id         bigint,                             -- no foreign key: see V8
  expires_at     timestamptz not null,               -- its worker is dead then
  primary key (input_hash, prompt_version, model)
) with (fillfactor = 50);
-- What a model answered, written with the ledger's row, whatever becomes of the job.
create table if not exists llm_answers (
  input_hash     text collate "C" not null check (input_hash ~ '^[0-9a-f]{64}$'),
  prompt_version text collate "C" not null,
  model          text collate "C" not null,
  attempt        smallint not null check (attempt between 1 and 2),   -- 2: the first was not proven by its source
  status         text not null check (status in ('ok','blocked')),
  body           text not null check (body <> ''),
  pages          int[] not null default '{}',        -- marks of the input
  at             timestamptz not null default now(),
  primary key (input_hash, prompt_version, model, attempt)
);
drop trigger if exists append_only on llm_answers;
create trigger append_only before update on llm_answers for each row execute function append_only();
-- A model that said when it may be asked again.
create table if not exists llm_pauses (
  model  text collate "C" primary key,
  until  timestamptz not null,
  reason text not null
);
alter table llm_ledger
  add column if not exists city text,
  add column if not exists provider text,
  add column if not exists prompt_version text,
  add column if not exists tokens_thought int,       -- part of tokens_out
  add column if not exists estimated boolean not null default false;
alter table summaries
  add column if not exists state text not null default 'accepted',
  add column if not exists reasons text[] not null default '{}',
  add column if not exists pages jsonb not null default '[]';   -- [{"document", "first", "last"}]
alter table summaries drop constraint if exists summaries_state_check;
alter table summaries add constraint summaries_state_check
  check (state in ('accepted','held_back') and (state = 'held_back') = (reasons <> '{}')) not valid;

-- step: transaction
alter table summaries validate constraint summaries_state_check;

-- step: transaction
-- What this day and this month have cost so far. The city of an older call is not known.
insert into llm_spend (scope, period, starts_on, spent_micro_usd)
select a.scope, p.period, date_trunc(p.period, now() at time zone 'utc')::date, sum(l.cost_micro_usd)
from (values ('day'), ('month')) p(period)
join llm_ledger l on l.at >= date_trunc(p.period, now() at time zone 'utc') at time zone 'utc'
cross join lateral (values ('total'), ('model:' || l.model)) a(scope)
group by 1, 2, 3 having sum(l.cost_micro_usd) > 0
on conflict do nothing;
