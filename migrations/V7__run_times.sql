-- How long jobs run, as each worker measures it: a scheduler puts jobs of a short kind into one message.
--
-- Older workers don't write the column, and their jobs travel alone as before; older schedulers don't read it.
-- Locks: workers ACCESS EXCLUSIVE, for some milliseconds: nobody keeps that table locked for longer than a heartbeat.
-- Measured: some milliseconds; no row is read, none is rewritten.

-- In the order of `kinds`, in microseconds; null: not measured yet.
alter table workers add column if not exists run_us int[] not null default '{}';
