"""One screen for somebody who has just been woken."""

import panels as p
from panels import MINE

FIRING = 'ALERTS{alertname=~"Docket.+", alertname!="DocketWatchdog", alertstate="firing"}'


def dashboard():
    return p.dashboard(
        "docket-start",
        "Docket / Start here",
        "What is wrong, how bad it is, and where to go on. Every number that is red here has an alert, and every alert has a "
        "section in docs/RUNBOOK.md.",
        [
            p.stat("Alerts that fire", "Without the watchdog, which always does. The table below names them.", "short",
                   f"count({FIRING}) or vector(0)", 1),
            p.stat("Dead letters", "Jobs that have used up their attempts, of all lanes. More than 10 wake somebody.", "short",
                   'sum(max by (lane) (docket_queue_jobs{job=~"$job", status="dead_letter", lane=~"$lane"}))', 11),
            p.stat("Oldest job that could run", "For how long it has waited, also at the broker. Held and paused ones don't count. 5 minutes wake "
                   "somebody.", "s",
                   'max(docket_queue_oldest_available_age_seconds{job=~"$job", lane=~"$lane"})', 300, decimals=0),
            p.stat("Unaccounted jobs", "Jobs that are not where the ledger says: docket audit tells what heals them.", "short",
                   'sum(max by (class) (docket_unaccounted_jobs{job=~"$job"}))', 1),
            p.stat("Workers up", "As the ledger knows them, by their heartbeats.", "short",
                   'max(docket_workers{job=~"$job", state="up"})', 1, "below"),
            p.stat("Targets down", "Processes and brokers that don't answer Prometheus.", "short",
                   'count(up{job=~"$job|rabbitmq.*"} == 0) or vector(0)', 1),
            p.table("Alerts that fire", "What each means and what to do: docs/RUNBOOK.md.", "short",
                    f"{FIRING} or on () label_replace(vector(0), \"alertname\", \"none\", \"\", \"\")", (12, 7),
                    ("alertstate", "Value")),
            p.series("Attempts a minute, by how they ended", "Retries come back by themselves; failed and dead_letter need a "
                     "person.", "opm",
                     [(f"60 * sum by (status) (rate(docket_queue_jobs_processed_total{{{MINE}}}[$__rate_interval]))",
                       "{{status}}")], size=(12, 7)),
            p.series("Jobs by state", "What waits, is under way, or has failed. Completed jobs are not counted.", "short",
                     [('sum by (status) (max by (lane, status) (docket_queue_jobs{job=~"$job", lane=~"$lane"}))',
                       "{{status}}")], stacked=True, size=(8, 7)),
            p.series("Errors a minute, by component", "More than 5 in one component wake somebody.", "opm",
                     [(f"60 * sum by (component) (rate(docket_errors_total{{{MINE}}}[$__rate_interval]))", "{{component}}")],
                     5, size=(8, 7)),
            p.series("p95 of run times, by kind", "More than 2 minutes wake somebody.", "s",
                     [("histogram_quantile(0.95, sum by (job_type, le) "
                       f"(rate(docket_processing_duration_seconds_bucket{{{MINE}}}[$__rate_interval])))", "{{job_type}}")],
                     120, size=(8, 7)),
        ],
    )
