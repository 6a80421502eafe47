-- The domain: cities, their meetings, what is on the agendas, the documents, and what was made of them.
--
-- Rules that the tables hold: what a source said is kept (revisions), what was paid for is kept (summaries, ledger),
-- and neither is ever changed. Meetings and items show the newest state and point at the revision and summary that
-- are current. Names of statuses and vendors are those of the code; a vendor is not checked here, so that a new one
-- needs no migration.
-- Locks: none that anybody could wait for; it only makes.
-- Measured: 50 ms on an empty schema.

create table cities (
  id         bigint generated always as identity primary key,
  slug       text collate "C" not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name       text not null check (name <> ''),
  zone       text not null check (zone <> ''),       -- IANA: sources publish local times without one
  vendor     text not null check (vendor <> ''),
  client     text not null check (client <> ''),     -- the city's name at the vendor
  params     jsonb not null default '{}',
  created_at timestamptz not null default now(),
  synced_at  timestamptz,                             -- last complete listing
  unique (vendor, client, params)                     -- one source under two names would double every meeting
);

create table meetings (
  id               bigint generated always as identity primary key,
  city_id          bigint not null references cities,
  vendor_id        text collate "C" not null check (vendor_id <> ''),
  body             text not null,
  title            text not null,
  local_date       date not null,                     -- days compare as days on the city's calendar
  local_time       time,                              -- null: unknown
  zone             text not null,
  starts_at        timestamptz,                       -- null without a time
  status           text not null check (status in ('scheduled','cancelled','postponed','rescheduled','recessed','withdrawn')),
  status_evidence  jsonb,
  location         text,
  agenda_url       text,
  minutes_url      text,
  page_url         text,
  listing          jsonb not null,                    -- all that the list said of it
  list_fingerprint text collate "C" not null check (list_fingerprint ~ '^[0-9a-f]{64}$'),
  listing_no       int not null default 1,            -- +1 each time that the list says something new
  revision_id      bigint,                            -- the current one; null until the agenda was read
  summary_id       bigint,                            -- the current one
  first_seen_at    timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  unique (city_id, vendor_id)
);
create index meetings_by_date on meetings (city_id, local_date);

-- What the source said, each time that it said something new. An agenda that returns to an earlier state is a further
-- revision, so the fingerprint is not unique.
create table meeting_revisions (
  id          bigint generated always as identity primary key,
  meeting_id  bigint not null references meetings,
  number      int not null check (number > 0),
  fingerprint text collate "C" not null check (fingerprint ~ '^[0-9a-f]{64}$'),
  content     jsonb not null,
  seen_at     timestamptz not null default now(),
  unique (meeting_id, number),
  unique (id, meeting_id)
);
alter table meetings add foreign key (revision_id, id) references meeting_revisions (id, meeting_id);

create table agenda_items (
  id          bigint generated always as identity primary key,
  meeting_id  bigint not null references meetings,
  vendor_id   text collate "C" not null check (vendor_id <> ''),
  sequence    int,                                    -- as the vendor counts: gaps and repetitions are normal
  number      text,
  title       text not null check (title <> ''),
  note        text,
  action      text,
  consent     boolean not null default false,
  matter      jsonb,                                  -- as the source shows it
  fingerprint text collate "C" not null check (fingerprint ~ '^[0-9a-f]{64}$'),
  listed      boolean not null default true,          -- false: a later revision has dropped it
  summary_id  bigint,                                 -- the current one
  skip_reason text,                                   -- why it has no summary
  unique (meeting_id, vendor_id)
);

-- Bytes, once, whatever number of agendas refers to them.
create table documents (
  sha256     text collate "C" primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes      int not null check (bytes = octet_length(content)),
  kind       text not null,                           -- sniffed from the bytes, never the server's word
  content    bytea not null check (octet_length(content) <= 67108864),
  created_at timestamptz not null default now()
);
alter table documents alter column content set storage external;   -- PDFs are compressed already

create table document_refs (
  id         bigint generated always as identity primary key,
  meeting_id bigint not null references meetings,
  item_id    bigint references agenda_items,          -- null: the meeting's own agenda
  url        text collate "C" not null,
  name       text not null,
  status     text not null default 'listed' check (status in ('listed','fetched','withdrawn')),
  sha256     text collate "C" references documents,
  fetched_at timestamptz,
  check (status <> 'fetched' or sha256 is not null)
);
create unique index document_refs_once on document_refs (meeting_id, coalesce(item_id, 0), url);

create table extractions (
  sha256     text collate "C" not null references documents,
  extractor  text collate "C" not null,               -- version of the extractor
  pages      int not null check (pages >= 0),
  chars      int not null check (chars >= 0),
  flags      text[] not null default '{}',            -- such as encrypted, damaged, no_text
  body       text not null,
  created_at timestamptz not null default now(),
  primary key (sha256, extractor)
);

-- A summary belongs to an input; a new input adds a row.
create table summaries (
  id             bigint generated always as identity primary key,
  subject_kind   text not null check (subject_kind in ('item','meeting')),
  subject_id     bigint not null,
  input_hash     text collate "C" not null check (input_hash ~ '^[0-9a-f]{64}$'),
  prompt_version text collate "C" not null,
  model          text collate "C" not null,
  body           text not null check (body <> ''),
  tokens_in      int not null check (tokens_in >= 0),
  tokens_out     int not null check (tokens_out >= 0),
  cost_micro_usd bigint not null check (cost_micro_usd >= 0),   -- 0 also when it was reused
  created_at     timestamptz not null default now(),
  unique (input_hash, prompt_version, model, subject_kind, subject_id)
);
alter table agenda_items add foreign key (summary_id) references summaries;
alter table meetings     add foreign key (summary_id) references summaries;

create table matters (
  id         bigint generated always as identity primary key,
  city_id    bigint not null references cities,
  key        text collate "C" not null,               -- file number, else the vendor's id: see civic::store::matters
  file       text,
  name       text,
  kind       text,
  status     text,
  first_seen_at timestamptz not null default now(),
  unique (city_id, key)
);

create table matter_appearances (
  matter_id        bigint not null references matters,
  item_id          bigint not null references agenda_items,
  attachments_hash text collate "C" not null,
  seen_at          timestamptz not null default now(),
  primary key (matter_id, item_id)
);
create index matter_appearances_item on matter_appearances (item_id);

-- Each request to a model, also the failed ones: written when the money is spent, not when the job completes.
create table llm_ledger (
  id             bigint generated always as identity primary key,
  at             timestamptz not null default now(),
  job_id         bigint,                              -- no foreign key: jobs are deleted before this is
  model          text not null,
  prompt_type    text not null,
  status         text not null,
  tokens_in      int not null check (tokens_in >= 0),
  tokens_cached  int not null check (tokens_cached between 0 and tokens_in),
  tokens_out     int not null check (tokens_out >= 0),
  cost_micro_usd bigint not null check (cost_micro_usd >= 0),
  duration_ms    int not null check (duration_ms >= 0)
);
create index llm_ledger_at on llm_ledger (at);

create function append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: add a row', tg_table_name using errcode = 'check_violation', constraint = 'append_only';
end $$;
create trigger append_only before update on meeting_revisions for each row execute function append_only();
create trigger append_only before update on summaries for each row execute function append_only();
create trigger append_only before update on llm_ledger for each row execute function append_only();
