"""What fails, where, and whose fault it is."""

import panels as p
from panels import MINE

VENDOR = f"docket_vendor_requests_total{{{MINE}}}"
STATES = {0: ("closed", "green"), 1: ("half open", "orange"), 2: ("open", "red")}


def dashboard():
    return p.dashboard(
        "docket-errors",
        "Docket / Errors and vendors",
        "Errors by component and type, vendors' sites, circuit breakers, the API and the database.",
        [
            p.series("Errors a minute, by component", "More than 5 in one component wake somebody.", "opm",
                     [(f"60 * sum by (component) (rate(docket_errors_total{{{MINE}}}[$__rate_interval]))", "{{component}}")], 5),
            p.table("Most frequent errors of the last hour", "By component and type. docket dead list names jobs and texts.",
                    "short", f"topk(10, sum by (component, type) (increase(docket_errors_total{{{MINE}}}[1h])))"),
            p.row("Vendors"),
            p.series("Requests a minute, by status", "2xx and 404 are answers; 403 is a block; 429 asks for patience.", "opm",
                     [(f"60 * sum by (vendor, status) (rate({VENDOR}[$__rate_interval])) > 0", "{{vendor}} {{status}}")],
                     size=(8, 8)),
            p.series("Share of requests that fail", "Half of them for 5 minutes makes a ticket.", "percentunit",
                     [('sum by (vendor) (rate(docket_vendor_requests_total'
                       f'{{{MINE}, status!~"200|2xx|3xx|404"}}[$__rate_interval])) / '
                       f"sum by (vendor) (rate({VENDOR}[$__rate_interval]))", "{{vendor}}")], 0.5, size=(8, 8)),
            p.series("Time of a request", "p50 and p95, by vendor.", "s",
                     [(f"histogram_quantile({q}, sum by (vendor, le) "
                       f"(rate(docket_vendor_request_duration_seconds_bucket{{{MINE}}}[$__rate_interval])))",
                       "{{vendor}} p" + str(round(q * 100))) for q in (0.5, 0.95)], size=(8, 8)),
            p.timeline("Circuit breakers", "An open one lets its jobs wait without burning attempts; after a minute one probe goes "
                       "through.",
                       [('2 * max by (vendor) (docket_circuit_breaker_state{job=~"$job", state="open"}) + '
                         'max by (vendor) (docket_circuit_breaker_state{job=~"$job", state="half_open"})', "{{vendor}}")],
                       STATES, (8, 8)),
            p.series("Circuit breakers: changes and rejected requests a minute", "Many changes are a site that comes and goes.",
                     "opm",
                     [(f"60 * sum by (vendor, to) (rate(docket_circuit_breaker_transitions_total{{{MINE}}}[$__rate_interval]))",
                       "{{vendor}} to {{to}}"),
                      (f"60 * sum by (vendor) (rate(docket_circuit_breaker_rejected_total{{{MINE}}}[$__rate_interval]))",
                       "{{vendor}} rejected")], size=(8, 8)),
            p.series("Requests that wait for their turn at a host", "p95 of the sleep before a request, and jobs a minute that went "
                     "back to the ledger for a longer wait. All of one vendor: its sites are slow, or say 429.", "short",
                     [("histogram_quantile(0.95, sum by (vendor, le) "
                       f"(rate(docket_pace_wait_seconds_bucket{{{MINE}}}[$__rate_interval])))", "{{vendor}} p95 in seconds"),
                      (f"60 * sum by (vendor) (rate(docket_pace_held_total{{{MINE}}}[$__rate_interval]))",
                       "{{vendor}} held a minute")], size=(8, 8)),
            p.series("Requests without a verified certificate, and answers not recorded, a minute",
                     "The first by civic.tls_exceptions. The second: docket cities courtesy and re-parsing miss them.", "opm",
                     [(f"60 * sum by (vendor) (rate(docket_tls_exceptions_total{{{MINE}}}[$__rate_interval]))",
                       "{{vendor}} unverified"),
                      (f"60 * sum(rate(docket_record_lost_total{{{MINE}}}[$__rate_interval]))", "not recorded")], size=(8, 8)),
            p.series("Cities that yield too little", "Far less than their own history: a changed page looks like that.", "short",
                     [('max(docket_coverage_suspect_cities{job=~"$job"})', "suspect")], 1, size=(8, 8)),
            p.row("API and database"),
            p.series("API requests a second, by route", "As templates of routes, never as paths.", "reqps",
                     [(f"sum by (method, route) (rate(docket_api_requests_total{{{MINE}}}[$__rate_interval])) > 0",
                       "{{method}} {{route}}")], size=(8, 8)),
            p.series("API rejections a minute, by code", "Our faults are internal and unavailable, the rest are the callers'.",
                     "opm",
                     [(f"60 * sum by (reason) (rate(docket_api_rejections_total{{{MINE}}}[$__rate_interval]))", "{{reason}}")],
                     size=(8, 8)),
            p.series("Time of an API request, p95", "By route.", "s",
                     [("histogram_quantile(0.95, sum by (route, le) "
                       f"(rate(docket_api_request_duration_seconds_bucket{{{MINE}}}[$__rate_interval])))", "{{route}}")],
                     size=(8, 8)),
            p.series("Database statements a second", "The ten most frequent, by name.", "ops",
                     [(f"topk(10, sum by (operation) (rate(docket_db_operations_total{{{MINE}}}[$__rate_interval])))",
                       "{{operation}}")], size=(8, 8)),
            p.series("Time of a database statement, p95", "The ten slowest, by name.", "s",
                     [("topk(10, histogram_quantile(0.95, sum by (operation, le) "
                       f"(rate(docket_db_operation_duration_seconds_bucket{{{MINE}}}[$__rate_interval]))))", "{{operation}}")],
                     size=(8, 8)),
            p.series("Database statements that failed, a minute", "Deadlocks and lost connections are tried again.", "opm",
                     [(f'60 * sum(rate(docket_errors_total{{{MINE}, component="database"}}[$__rate_interval]))', "errors")],
                     size=(8, 8)),
        ],
    )
