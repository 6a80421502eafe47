-- Documents that are judged page by page, found behind a page, and asked for again.
--
-- Older binaries neither read nor write any of it: what they extract has no quality, what they fetch is never asked for again
-- before it has been fetched once by a newer one. In steps, each of which may be repeated.
-- Locks: extractions and document_refs ACCESS EXCLUSIVE, one after the other, for some milliseconds; the fleet's jobs are not
--   touched.
-- Measured: some milliseconds; no row is read, none is rewritten.

-- step: transaction
-- Which bytes an address gave before. No foreign keys: see V8.
create table if not exists document_changes (
  id         bigint generated always as identity primary key,
  ref_id     bigint not null,
  old_sha256 text collate "C" not null,
  new_sha256 text collate "C" not null check (new_sha256 <> old_sha256),
  seen_at    timestamptz not null default now()
);
create index if not exists document_changes_ref on document_changes (ref_id, id desc);
drop trigger if exists append_only on document_changes;
create trigger append_only before update on document_changes for each row execute function append_only();

-- step: transaction
alter table extractions
  add column if not exists kind         text,          -- what the bytes are
  add column if not exists page_chars   int[],         -- characters of each page
  add column if not exists page_quality text,          -- a letter a page: see civic::document::PageQuality::code
  add column if not exists links        jsonb;         -- where it leads; null: nowhere

-- step: transaction
alter table document_refs
  add column if not exists found_in      bigint,       -- the reference whose document leads here; null: an agenda names it
  add column if not exists signed        boolean not null default false,  -- the address holds a signature, which `url` leaves out
  add column if not exists etag          text,
  add column if not exists last_modified text,
  add column if not exists checked_at    timestamptz;  -- when the address was last asked
