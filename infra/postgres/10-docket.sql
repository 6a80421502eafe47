-- Runs once, when the volume is new. The tables are `docket migrate up`'s.
create extension if not exists pg_stat_statements;

-- A session that forgot its transaction holds back vacuum, and with it the queue.
alter role docket set idle_in_transaction_session_timeout = '60s';
