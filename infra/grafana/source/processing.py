"""How long jobs run, how they end, and how busy the workers are."""

import panels as p
from panels import MINE

BUCKETS = f"docket_processing_duration_seconds_bucket{{{MINE}}}"


def quantile(q):
    return f"histogram_quantile({q}, sum by (job_type, le) (rate({BUCKETS}[$__rate_interval])))"


def dashboard():
    return p.dashboard(
        "docket-processing",
        "Docket / Processing",
        "Run times by kind with the 120 s line, outcomes, utilisation and saturation.",
        [
            p.series("p50 of run times", "Half of the runs are shorter.", "s", [(quantile(0.5), "{{job_type}}")], size=(8, 8)),
            p.series("p95 of run times", "More than 2 minutes wake somebody.", "s", [(quantile(0.95), "{{job_type}}")], 120,
                     size=(8, 8)),
            p.series("p99 of run times", "One in a hundred takes longer.", "s", [(quantile(0.99), "{{job_type}}")], 120,
                     size=(8, 8)),
            p.heatmap("Run times", "How many runs ended in each bucket.", "s",
                      f"sum by (le) (increase({BUCKETS}[$__rate_interval]))"),
            p.series("Runs a minute, by kind", "Every attempt that ended, however it did.", "opm",
                     [(f"60 * sum by (job_type) (rate(docket_queue_jobs_processed_total{{{MINE}}}[$__rate_interval]))",
                       "{{job_type}}")]),
            p.series("Attempts a minute that did not complete", "By kind and by how they ended.", "opm",
                     [("60 * sum by (job_type, status) (rate(docket_queue_jobs_processed_total"
                       f'{{{MINE}, status!="completed"}}[$__rate_interval])) > 0 or '
                       "60 * sum by (status) (rate(docket_queue_jobs_processed_total"
                       f'{{{MINE}, status="dead_letter"}}[$__rate_interval]))', "{{job_type}} {{status}}")]),
            p.series("Share of jobs that fail for good", "Of those that ended: the objective is 1 %. 14.4 % for an hour wake "
                     "somebody.", "percentunit",
                     [("docket:failed_share:ratio_rate5m", "5 m"), ("docket:failed_share:ratio_rate1h", "1 h"),
                      ("docket:failed_share:ratio_rate6h", "6 h")], 0.144),
            p.row("Workers"),
            p.series("Utilisation", "Jobs in flight for each slot. At 1 jobs wait for slots: look at the wait below.", "percentunit",
                     [(f"sum(docket_jobs_in_flight{{{MINE}}}) / sum(docket_worker_slots{{{MINE}}})", "all"),
                      (f"docket_jobs_in_flight{{{MINE}}} / docket_worker_slots{{{MINE}}}", "{{instance}}")], size=(8, 8)),
            p.series("Wait from due to claim, p95", "By kind. It grows when all slots are busy.", "s",
                     [("histogram_quantile(0.95, sum by (job_type, le) "
                       f"(rate(docket_queue_wait_seconds_bucket{{{MINE}}}[$__rate_interval])))", "{{job_type}}")], size=(8, 8)),
            p.series("Handlers that don't end", "They go on after their attempt and keep a thread; with 4 the worker ends itself.",
                     "short", [(f"docket_stuck_handlers{{{MINE}}}", "{{instance}}")], 1, size=(8, 8)),
            p.row("What was done"),
            p.series("Meetings, items and matters an hour", "Found or refreshed, extracted, created or linked. A worker's first ones of each "
                     "city are missing: a rate does not see them.", "short",
                     [(f"3600 * sum(rate({name}{{{MINE}}}[$__rate_interval]))", legend) for name, legend in (
                         ("docket_meetings_synced_total", "meetings"), ("docket_items_extracted_total", "items"),
                         ("docket_matters_tracked_total", "matters"))]),
            p.series("Changes of meetings an hour", "By kind, as listings and new revisions tell them.", "short",
                     [(f"3600 * sum by (kind) (rate(docket_meeting_changes_total{{{MINE}}}[$__rate_interval]))", "{{kind}}")]),
            p.series("Agendas that are only a document, an hour", "By how their items were found; suspect ones are summarised whole: "
                     "docket agendas list --suspect says why.", "short",
                     [(f"3600 * sum by (method, result) (rate(docket_segmentations_total{{{MINE}}}[$__rate_interval]))",
                       "{{method}} {{result}}")]),
            p.series("Time to read a PDF", "p50 and p95.", "s",
                     [(f"histogram_quantile({q}, sum by (le) "
                       f"(rate(docket_pdf_extraction_duration_seconds_bucket{{{MINE}}}[$__rate_interval])))",
                       f"p{round(q * 100)}") for q in (0.5, 0.95)]),
        ],
    )
