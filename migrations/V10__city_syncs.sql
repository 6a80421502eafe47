-- What each listing of a city came to: none is silent. Older binaries neither read nor write it.
-- Locks: none that anybody could wait for; it only makes.
-- Measured: some milliseconds.

create table if not exists city_syncs (
  id       bigint generated always as identity primary key,
  city_id  bigint not null,                          -- no foreign key: see V8
  at       timestamptz not null default now(),
  outcome  text not null check (outcome in ('success','empty','suspect','blocked','broken','failed')),
  meetings int not null check (meetings >= 0),
  expected int check (expected >= 0),                -- what the city's own history promised; null: it has none yet
  detail   text                                      -- why it is none of the first two
);
create index if not exists city_syncs_of on city_syncs (city_id, id desc);
