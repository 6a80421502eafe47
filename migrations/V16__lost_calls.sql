-- What a reservation needs, so that the call of a worker that died is booked: that it was made, and of whom and for what.
--
-- Older binaries go on: they fill none of the new columns, and what their dead workers reserved is free as before.
-- Locks: llm_reservations ACCESS EXCLUSIVE, for some milliseconds: it holds the calls under way.
-- Measured: some milliseconds.

alter table llm_reservations
  add column if not exists asked_at    timestamptz,  -- null: the call has not begun
  add column if not exists provider    text,
  add column if not exists prompt_type text;
