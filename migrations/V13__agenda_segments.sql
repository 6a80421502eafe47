-- What was found in agendas that are only a document: their items, or why none are believed. Beside the revisions, which
-- say what the source said, this says what was read in it; neither is ever changed. Older binaries neither read nor write
-- it; the items that it speaks of stand in agenda_items, as those of any vendor.
-- Locks: none that anybody could wait for; it only makes.
-- Measured: some milliseconds.

create table if not exists agenda_segments (
  id          bigint generated always as identity primary key,
  meeting_id  bigint not null,                        -- no foreign keys: see V8
  revision_id bigint not null,
  sha256      text collate "C" not null check (sha256 ~ '^[0-9a-f]{64}$'),
  segmenter   text collate "C" not null check (segmenter <> ''),   -- version: another one may find others
  method      text not null check (method in ('numbering','headings','none')),
  items       jsonb not null,                         -- with sections and pages, in the order of the document
  warnings    text[] not null default '{}',
  suspect     text check (suspect <> ''),             -- why no items are believed; null: they are
  at          timestamptz not null default now(),
  unique (revision_id, sha256, segmenter),
  check (suspect is null or items = '[]')
);
create index if not exists agenda_segments_of on agenda_segments (meeting_id, id desc);
drop trigger if exists append_only on agenda_segments;
create trigger append_only before update on agenda_segments for each row execute function append_only();
