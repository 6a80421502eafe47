"""What waits, for how long, and whether ledger and broker agree."""

import panels as p
from panels import MINE

QUEUE = 'job=~"$job", lane=~"$lane"'
BROKER = 'job=~"rabbitmq-queues", queue=~"docket.+"'


def now(title, status, description, limit=None):
    query = f'sum(max by (lane) (docket_queue_jobs{{{QUEUE}, status="{status}"}}))'
    return p.stat(title, description, "short", query, limit)


def dashboard():
    return p.dashboard(
        "docket-queue",
        "Docket / Queue health",
        "States, holds, ages and rates of the queue, and the ledger beside the broker.",
        [
            now("Pending", "pending", "Could run now; counted up to 100,000 a lane."),
            now("Queued", "queued", "A message at the broker points to it."),
            now("Processing", "processing", "A worker holds it."),
            now("Held", "held", "Waits for a time, an operator, a limit, a breaker, a budget or its children."),
            now("Failed", "failed", "Ended by an error that no retry mends."),
            now("Dead letters", "dead_letter", "Ended by the last attempt. More than 10 wake somebody.", 11),
            p.series("Jobs by state", "Completed jobs are not counted.", "short",
                     [(f"sum by (status) (max by (lane, status) (docket_queue_jobs{{{QUEUE}}}))", "{{status}}")], stacked=True),
            p.series("Held jobs, by why", "retry is a backoff; paused is an operator; unknown_kind has no worker that knows it; "
                     "limit, breaker and budget lift themselves.", "short",
                     [(f"sum by (reason) (max by (lane, reason) (docket_queue_held_jobs{{{QUEUE}}}))", "{{reason}}")],
                     stacked=True),
            p.series("Age of the oldest job that could run", "Depth says little, age says that nobody works. 5 minutes wake "
                     "somebody.", "s",
                     [(f"max by (lane) (docket_queue_oldest_available_age_seconds{{{QUEUE}}})", "{{lane}}")], 300),
            p.series("Age of the oldest dead letter", "Few and old is a pile that nobody looks at: a day makes a ticket.", "s",
                     [(f"max by (lane) (docket_dead_letter_oldest_age_seconds{{{QUEUE}}})", "{{lane}}")], 86400),
            p.row("Rates"),
            p.series("Messages a second to the broker, by outcome", "One message may carry many jobs. What is not confirmed is "
                     "sent again.", "ops",
                     [(f"sum by (outcome) (rate(docket_messages_published_total{{{MINE}}}[$__rate_interval]))", "{{outcome}}")]),
            p.series("Attempts a second, by how they ended", "completed against retried, failed and dead_letter.", "ops",
                     [(f"sum by (status) (rate(docket_queue_jobs_processed_total{{{MINE}}}[$__rate_interval]))", "{{status}}")]),
            p.series("Wait from due to claim", "Without deliberate delays and backoff.", "s",
                     [(f"histogram_quantile({q}, sum by (le) (rate(docket_queue_wait_seconds_bucket{{{MINE}}}[$__rate_interval])))",
                       f"p{round(q * 100)}") for q in (0.5, 0.95, 0.99)]),
            p.series("Wait of a publish for its confirm", "p50 and p95. A slow disk of the broker shows here first.", "s",
                     [(f"histogram_quantile({q}, sum by (le) "
                       f"(rate(docket_publish_confirm_duration_seconds_bucket{{{MINE}}}[$__rate_interval])))",
                       f"p{round(q * 100)}") for q in (0.5, 0.95)]),
            p.row("The ledger beside the broker"),
            p.series("Queued jobs in the ledger", "What the ledger thinks the broker holds. A message may carry up to 100 jobs, so "
                     "it may be more than the broker's messages, never less for long.", "short",
                     [(f'sum by (lane) (max by (lane, status) (docket_queue_jobs{{{QUEUE}, status=~"queued|processing"}}))',
                       "{{lane}}")]),
            p.series("Messages at the broker", "Ready ones and those that a worker has not acknowledged yet.", "short",
                     [(f"sum by (queue) (rabbitmq_detailed_queue_messages_ready{{{BROKER}}})", "{{queue}} ready"),
                      (f"sum by (queue) (rabbitmq_detailed_queue_messages_unacked{{{BROKER}}})", "{{queue}} unacked")]),
            p.series("Consumers, by queue", "Every band of a lane needs one: none for 2 minutes wakes somebody. docket.dead has "
                     "none on purpose.", "short",
                     [(f'sum by (queue) (rabbitmq_detailed_queue_consumers{{{BROKER}, queue!="docket.dead"}})', "{{queue}}")],
                     1, worse="below"),
            p.series("Unaccounted jobs, by class", "What the audit misses: docket audit tells what heals each.", "short",
                     [('max by (class) (docket_unaccounted_jobs{job=~"$job"})', "{{class}}")], 1),
            p.series("Jobs brought back, by rule", "R1 unconfirmed, R2 a wiped broker, R3 a purged queue, R4 a lost worker, R6 a "
                     "worker's own.", "opm",
                     [(f"60 * sum by (rule) (rate(docket_jobs_rescued_total{{{MINE}}}[$__rate_interval]))", "{{rule}}")]),
            p.series("Deliveries that were not used", "Stale pointers are dropped, messages without a slot go back, late results "
                     "meet the fence, unreadable messages go to quarantine; direct leases went past the broker.", "opm",
                     [(f"60 * sum(rate({name}{{{MINE}}}[$__rate_interval]))", legend) for name, legend in (
                         ("docket_duplicate_deliveries_total", "stale"),
                         ("docket_messages_handed_back_total", "handed back"),
                         ("docket_fenced_writes_total", "fenced"),
                         ("docket_messages_quarantined_total", "quarantined"),
                         ("docket_direct_leases_total", "leased directly"))]),
        ],
    )
