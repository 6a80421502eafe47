-- Lanes that an operator paused. No job is touched: the pick and the direct lease look here first, so a pause costs the
-- same whatever waits in the lane, and holds from its commit on.
-- Locks: none on a table that is there.
-- Measured: some milliseconds, whatever the tables hold.
create table if not exists paused_lanes (
  lane      text collate "C" primary key check (lane <> '' and octet_length(lane) <= 512),
  paused_at timestamptz not null default now(),
  actor     text
);
