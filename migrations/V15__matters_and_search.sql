-- Matters across meetings: by which rule one was told, operators' merges and splits, and where a merged one leads. What
-- changed at each meeting. Words to search by. Meetings that their source has dropped.
--
-- File numbers are spelled alike from now on: `CB 120736`, `CB-120736` and `cb120736` are one key. A key of the older
-- spelling is rewritten, unless its matter has a twin; twins stay, and `docket matters audit` names them. While older
-- binaries still work they write keys of the older spelling, which are further twins; they neither read nor write
-- anything else of this. In steps, each of which may be repeated.
-- Locks: matters, matter_appearances and meetings ACCESS EXCLUSIVE in the first step, for some milliseconds; the batches
--   lock the rows that they write; indexes are built concurrently. The fleet's jobs are not touched.
-- Measured: 200,000 matters, 100,000 meetings, 500,000 items and 250,000 summaries on a busy machine of 2 cores: 58 s, the
--   first step under 0.3 s.

-- step: transaction
alter table matters
  add column if not exists rule    text check (rule in ('file','vendor_id','title','split')),   -- null: an older version's
  add column if not exists retired boolean not null default false;   -- hidden, until it appears again
alter table matter_appearances
  add column if not exists key  text collate "C",    -- by which it was told, and by which rule; null: an older version's
  add column if not exists rule text check (rule in ('file','vendor_id','title'));
alter table meetings
  add column if not exists missed_listings int not null default 0;   -- complete listings in a row that lacked it

-- No foreign keys: see V8. A merged matter keeps its row; its key, and every key that led to it, leads to another one.
-- `item:<id>` leads one item elsewhere than its key would.
create table if not exists matter_aliases (
  city_id   bigint not null,
  key       text collate "C" not null check (key <> ''),
  matter_id bigint not null,
  act_id    bigint not null,                         -- which act made it so
  primary key (city_id, key)
);
create index if not exists matter_aliases_matter on matter_aliases (matter_id);

create table if not exists matter_acts (
  id      bigint generated always as identity primary key,
  city_id bigint not null,
  act     text not null check (act in ('merge','split','retire','undo')),
  matters bigint[] not null check (cardinality(matters) > 0),   -- all that it touched
  undoes  bigint unique,                             -- an act is undone once
  detail  jsonb not null,                            -- what an undo needs
  actor   text not null,
  at      timestamptz not null default now(),
  check ((undoes is not null) = (act = 'undo'))
);
create index if not exists matter_acts_matters on matter_acts using gin (matters);
drop trigger if exists append_only on matter_acts;
create trigger append_only before update on matter_acts for each row execute function append_only();

create table if not exists meeting_changes (
  id          bigint generated always as identity primary key,
  city_id     bigint not null,
  meeting_id  bigint not null,
  revision_id bigint,                                -- null: the listing told it
  kinds       text[] not null check (cardinality(kinds) > 0),
  detail      jsonb not null,
  at          timestamptz not null default now()
);
create index if not exists meeting_changes_at on meeting_changes (at, id);
create index if not exists meeting_changes_of on meeting_changes (city_id, at, id);
drop trigger if exists append_only on meeting_changes;
create trigger append_only before update on meeting_changes for each row execute function append_only();

-- As `civic::model::file_key` does it: separators become one hyphen, and none where a letter meets a digit.
-- step: batch matters.id 10000
update matters m set key = n.key from (
  select distinct on (city_id, key) id, city_id, key from (
    select id, city_id, 'file:' || regexp_replace(regexp_replace(btrim(regexp_replace(substr(key, 6),
      '[-[:space:]_./#:,()‐‑‒–—−]+', '-', 'g'), '-'), '([^0-9-])-([0-9])', '\1\2', 'g'), '([0-9])-([^0-9-])', '\1\2', 'g') as key
    from matters where id > $1 and id <= $2 and key like 'file:%') spelled
  order by city_id, key, id) n
where m.id = n.id and m.key <> n.key and not exists (select from matters o where o.city_id = n.city_id and o.key = n.key);

-- step: concurrently
create index concurrently if not exists meetings_by_day on meetings (local_date, id);
create index concurrently if not exists meetings_words on meetings using gin (to_tsvector('english', left(title || ' ' || body, 20000)));
create index concurrently if not exists agenda_items_words on agenda_items using gin (to_tsvector('english', left(title, 20000)));
create index concurrently if not exists summaries_words on summaries using gin (to_tsvector('english', left(body, 100000)));
create index concurrently if not exists matters_words on matters using gin (to_tsvector('english', left(coalesce(file, '') || ' ' || coalesce(name, ''), 20000)));
create index concurrently if not exists document_refs_sha256 on document_refs (sha256);
