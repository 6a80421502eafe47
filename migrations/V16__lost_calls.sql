-- What a reservation needs, so that the call of a worker that died is booked: that it was made, and of whom and for what.
--
-- Older binaries go on: they fill none of the new columns. While their workers are left, a call of a dead worker may go
-- unbooked as before: they take an expired reservation over, and nothing of the call before may stay in it.
-- Locks: llm_reservations ACCESS EXCLUSIVE, for some milliseconds: it holds the calls under way.
-- Measured: some milliseconds.

alter table llm_reservations
  add column if not exists asked_at    timestamptz,  -- null: the call has not begun
  add column if not exists provider    text,
  add column if not exists prompt_type text;
create or replace function llm_reservation_is_new() returns trigger language plpgsql as $$
begin
  new.asked_at := null;
  return new;
end $$;
drop trigger if exists taken_over on llm_reservations;
create trigger taken_over before update on llm_reservations for each row
  when (old.holder <> new.holder) execute function llm_reservation_is_new();
