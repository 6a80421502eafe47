-- Requests to other parties' sites: one budget a host for the whole fleet, and the record of what they answered. Older
-- binaries neither read nor write it: their workers ask unpaced, and their schedulers lift no job that waits for its turn,
-- so upgrade the schedulers first.
-- Locks: none that anybody could wait for; it only makes.
-- Measured: some milliseconds.

create table if not exists paces (
  key           text collate "C" primary key check (key <> ''),
  label         text not null check (label <> ''),   -- of the metrics: a vendor
  spacing_ms    int not null check (spacing_ms >= 0),
  free_at       timestamptz not null,                -- nobody starts before
  turn_at       timestamptz not null,                -- the turns until then are given away
  going         bigint[] not null default '{}',      -- who is under way, and when that is given up: pairs
  going_until   timestamptz[] not null default '{}',
  starts        bigint not null default 0,           -- also the name of the next start
  refused_since timestamptz,                         -- the first refusal that no good answer followed
  lift_at       timestamptz not null default now(),  -- jobs that wait are lifted then
  used_at       timestamptz not null default now(),
  check (cardinality(going) = cardinality(going_until))
) with (fillfactor = 50);

-- A row a request that went out. Never changed; old ones are deleted.
create table if not exists responses (
  id             bigint generated always as identity primary key,
  at             timestamptz not null default now(),
  ask            uuid not null,                      -- what was asked for together: the pages of one listing
  job_id         bigint,
  city_id        bigint,                             -- no foreign key: see V8
  vendor         text not null check (vendor <> ''),
  purpose        text not null check (purpose in ('listing','agenda','document')),
  host           text not null,
  url            text not null,                      -- without query, user name and password
  url_sha256     text collate "C" not null check (url_sha256 ~ '^[0-9a-f]{64}$'),  -- of the exact address
  final_url      text,                               -- the address that answered, where it is another one; likewise
  status         int check (status between 100 and 599),          -- null: no answer, see error
  error          text,                               -- its class
  bytes          int not null check (bytes >= 0),
  duration_ms    int not null check (duration_ms >= 0),
  sha256         text,                               -- of the body: in response_bodies, or in documents
  etag           text,
  content_type   text,
  tls_unverified boolean not null default false,
  window_from    date,                               -- a listing's days
  window_to      date,
  check ((status is null) = (error is not null))
);
create index if not exists responses_at on responses (at);
create index if not exists responses_of_url on responses (url_sha256, id desc);
create index if not exists responses_of_listing on responses (city_id, at) where purpose = 'listing';

create table if not exists response_bodies (
  sha256  text collate "C" primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes   int not null check (bytes >= 0),           -- before compression
  gzip    bytea not null,
  seen_at timestamptz not null default now()         -- the last answer that had it: when that goes, it goes
);
create index if not exists response_bodies_seen on response_bodies (seen_at);

drop trigger if exists append_only on responses;
create trigger append_only before update on responses for each row execute function append_only();
