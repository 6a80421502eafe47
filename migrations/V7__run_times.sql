-- How long jobs run, as each worker measures it: a scheduler puts jobs of a short kind into one message.
--
-- Older schedulers don't read the column, and send every job alone. Older workers don't write it: their jobs travel as the
-- newer workers of their lane have measured them, and alone where there are none.
-- Locks: workers ACCESS EXCLUSIVE, for some milliseconds: nobody keeps that table locked for longer than a heartbeat.
-- Measured: some milliseconds; no row is read, none is rewritten.

-- In the order of `kinds`, in microseconds; null: not measured yet.
alter table workers add column if not exists run_us int[] not null default '{}';
