-- Meetings that have several ids at their vendor, and meetings that were held.
--
-- Granicus calls a meeting an event until it is over, and a clip from then on; Legistar's calendar has other numbers than
-- its API. Older binaries neither read nor write the table, and write none of the new statuses; in their eyes such a
-- meeting is two, as before. In steps, each of which may be repeated.
-- Locks: meetings ACCESS EXCLUSIVE in the first step and SHARE UPDATE EXCLUSIVE in the second, both for some milliseconds
--   more than it takes to read the table in the second; the fleet's jobs are not touched.
-- Measured: some milliseconds; the second step reads `meetings`, a second for each two million rows.

-- step: transaction
-- No foreign keys, here and in later versions' tables: a backup of an older version is restored beside them, and drops and
-- makes the tables that they would refer to. An alias of a meeting that is gone leads nowhere.
create table if not exists meeting_aliases (
  city_id    bigint not null,
  alias      text collate "C" not null check (alias <> ''),
  meeting_id bigint not null,
  seen_at    timestamptz not null default now(),
  primary key (city_id, alias)                       -- an id leads to one meeting
);
create index if not exists meeting_aliases_meeting on meeting_aliases (meeting_id);
alter table meetings drop constraint if exists meetings_status_check;
alter table meetings add constraint meetings_status_check
  check (status in ('scheduled','cancelled','postponed','rescheduled','recessed','held','withdrawn')) not valid;

-- step: transaction
alter table meetings validate constraint meetings_status_check;
