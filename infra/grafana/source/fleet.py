"""The processes: who runs, which version, and what they use."""

import panels as p
from panels import MINE

YES = {0: ("no", "red"), 1: ("yes", "green")}
NO = {0: ("no", "green"), 1: ("yes", "red")}


def dashboard():
    return p.dashboard(
        "docket-fleet",
        "Docket / Fleet",
        "Processes, versions, memory, processor time, pools and connections to the broker.",
        [
            p.series("Workers, by state", "As the ledger knows them. dead: declared so by a scheduler, and not back.", "short",
                     [('max by (state) (docket_workers{job=~"$job"})', "{{state}}")], size=(8, 8)),
            p.series("Workers lost an hour", "They stopped beating without signing off. One within 15 minutes wakes somebody.",
                     "short", [(f"sum(increase(docket_workers_lost_total{{{MINE}}}[1h]))", "lost")], 1, size=(8, 8)),
            p.table("Processes", "Role and version of each. Two versions are an upgrade that goes on.", "short",
                    f"docket_build_info{{{MINE}}}", (8, 8), ("Value", "job")),
            p.timeline("Processes that answer", "Prometheus had an answer at the last scrape.",
                       [('max by (instance, job) (up{job=~"$job|rabbitmq.*"})', "{{job}} {{instance}}")], YES, (12, 8)),
            p.series("Migrations that database and process disagree about", "missing: the database is behind, which wakes somebody. "
                     "unknown: the process is.", "short",
                     [(f"max by (instance, state) (docket_schema_migrations{{{MINE}}})", "{{instance}} {{state}}")], 1),
            p.row("What they use"),
            p.series("Memory", "Resident. A worker at full speed takes about 90 MiB.", "bytes",
                     [(f"process_resident_memory_bytes{{{MINE}}}", "{{instance}}")], size=(8, 8)),
            p.series("Processor time", "1 is one core.", "short",
                     [(f"rate(process_cpu_seconds_total{{{MINE}}}[$__rate_interval])", "{{instance}}")], size=(8, 8)),
            p.series("Open files", "Share of what the process may open.", "percentunit",
                     [(f"process_open_fds{{{MINE}}} / process_max_fds{{{MINE}}}", "{{instance}}")], 0.8, size=(8, 8)),
            p.series("Connections in use, of a pool", "Share of its limit. At 1 the next caller waits.", "percentunit",
                     [(f'docket_db_pool_connections{{{MINE}, state="in_use"}} / on (job, instance, pool) '
                       f"docket_db_pool_limit{{{MINE}}}", "{{instance}} {{pool}}")], size=(8, 8)),
            p.series("Callers that wait for a connection", "At each scrape of 2 minutes: wakes somebody.", "short",
                     [(f"max by (instance, pool) (docket_db_pool_waiting{{{MINE}}})", "{{instance}} {{pool}}")], 1, size=(8, 8)),
            p.series("Runtime", "Tasks that have not ended, and those that wait for a thread.", "short",
                     [(f"docket_tokio_alive_tasks{{{MINE}}}", "{{instance}} tasks"),
                      (f"docket_tokio_global_queue_depth{{{MINE}}}", "{{instance}} waiting")], size=(8, 8)),
            p.row("Broker and logs"),
            p.timeline("Connected to RabbitMQ", "Without it workers lease from the database: slower, not lost.",
                       [(f"max by (instance, connection) (docket_amqp_connected{{{MINE}}})", "{{instance}} {{connection}}")], YES, (8, 8)),
            p.timeline("Blocked by RabbitMQ", "It holds back publishers for lack of memory or disk.",
                       [(f"max by (instance) (docket_amqp_blocked{{{MINE}}})", "{{instance}}")], NO, (8, 8)),
            p.series("Reconnects an hour", "Sessions that ended and were opened again.", "short",
                     [(f"sum by (instance) (increase(docket_amqp_reconnects_total{{{MINE}}}[1h]))", "{{instance}}")],
                     size=(8, 8)),
            p.series("Log lines left out a minute", "dropped: whatever reads the log is too slow. repeated: the same warning was told "
                     "within a minute.", "opm",
                     [(f"60 * sum by (instance) (rate(docket_log_lines_dropped_total{{{MINE}}}[$__rate_interval]))",
                       "{{instance}} dropped"),
                      (f"60 * sum by (instance) (rate(docket_log_lines_repeated_total{{{MINE}}}[$__rate_interval]))",
                       "{{instance}} repeated")]),
            p.series("HTTP connections refused a minute", "Too many at once, or displaced while they said nothing.", "opm",
                     [(f"60 * sum by (reason) (rate(docket_http_connections_refused_total{{{MINE}}}[$__rate_interval]))",
                       "{{reason}}")]),
            p.series("Spans a minute", "For a collector of OpenTelemetry. failed: it took none. Recorded and neither exported nor failed: they "
                     "wait, or found no room.", "opm",
                     [(f"60 * sum by (status) (rate(docket_spans_total{{{MINE}}}[$__rate_interval]))", "{{status}}")]),
        ],
    )
