//! The rows of the table, in the order of `names`.

use super::{
    super::names as n,
    Family, Label, Owner,
    Type::{self, Counter, Gauge, Histogram},
    Values::{self, AtStart, Bounded, Closed},
};
use metrics::Unit::{self, Seconds};

/// Database statements and publisher confirms.
const FAST: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// Requests that we answer.
const HTTP: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Requests that a city's site answers, or doesn't.
const VENDOR: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];
/// Sleeps until a turn: two seconds, or twice that.
const PACE: &[f64] = &[0.005, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0];
/// Runs of a job. A quantile can't exceed the largest bucket, so they go well past the 120 s of the alert.
const JOB: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1800.0];
/// Waits of a job that could have run.
const WAIT: &[f64] = &[0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
/// Language models.
const LLM: &[f64] = &[0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];
/// Dollars of one request. Counters are whole numbers, so cost is a histogram: its sum is the dollar counter.
const USD: &[f64] = &[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

const fn label(name: &'static str, values: Values) -> Label {
    Label { name, values }
}

const KIND: Label = label("job_type", AtStart("kind"));
const LANE: Label = label("lane", AtStart("lane"));
const CITY: Label = label("city", Bounded("the first thousand cities, then `other`", 1001));
const VENDOR_NAME: Label = label("vendor", AtStart("vendor"));
/// What stands behind a circuit breaker: a vendor, or `model` for all models.
const BEHIND: Label = label("vendor", AtStart("breaker"));
const MODEL: Label = label("model", AtStart("model"));
const PROMPT: Label = label("prompt_type", Closed(&["item", "meeting", "chunk"]));
/// Several items in one call have a type of their own; what is reused is reused item by item.
const CALL: Label = label("prompt_type", Closed(&["item", "meeting", "chunk", "batch"]));
const CHANGE: Label = label(
    "kind",
    Closed(&[
        "meeting_listed",
        "agenda_published",
        "item_added",
        "item_removed",
        "item_retitled",
        "item_renumbered",
        "document_added",
        "document_removed",
        "date_changed",
        "time_changed",
        "place_changed",
        "status_changed",
        "title_changed",
        "other_changed",
    ]),
);
const POOL: Label = label("pool", Closed(&["general", "engine", "effects", "heartbeat", "gate"]));
/// Not `role`: that is a label of the target, and Prometheus would rename ours.
const CONNECTION: Label = label("connection", Closed(&["publish", "consume"]));
const ROUTE: Label = label("route", Bounded("routes in the code", 40));
const OPERATION: Label = label("operation", Bounded("statements in the code", 80));
const METHOD: Label = label("method", Closed(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"]));

/// The codes of errors.
const REASON: Label = label(
    "reason",
    Closed(&[
        "bad_request",
        "unauthorized",
        "forbidden",
        "cross_site",
        "wrong_host",
        "no_route",
        "not_found",
        "method_not_allowed",
        "exists",
        "conflict",
        "too_large",
        "unsupported_media_type",
        "rate_limited",
        "too_many_pending",
        "internal",
        "unavailable",
        "unknown",
    ]),
);

/// How a request to a vendor ended: by the class of its status where no single one needs a look.
const VENDOR_STATUS: Label = label(
    "status",
    Closed(&[
        "200",
        "2xx",
        "3xx",
        "403",
        "404",
        "429",
        "4xx",
        "503",
        "5xx",
        "other",
        "timeout",
        "connect",
        "too_large",
        "refused_address",
        "redirects",
        "bad_url",
    ]),
);

/// How a call to a language model ended.
const LLM_STATUS: Label = label(
    "status",
    Closed(&[
        "ok",
        "rate_limited",
        "daily_quota",
        "quota",
        "refused",
        "server_error",
        "timeout",
        "connect",
        "interrupted",
        "empty",
        "truncated",
        "malformed",
        "wrong_key",
        "too_long",
        "blocked",
        "lost",
    ]),
);

/// Why an answer of a model became no summary: what its source does not have, or what came instead of a summary.
const REJECTED: Label = label(
    "reason",
    Closed(&["number", "date", "name", "file_number", "url", "off_topic", "wrong_key", "malformed", "blocked"]),
);

/// Why a pending job is held.
const HOLD: Label = label(
    "reason",
    Closed(&["scheduled", "retry", "paused", "limit", "breaker", "budget", "unknown_kind", "children"]),
);

const fn row(
    name: &'static str,
    kind: Type,
    unit: Option<Unit>,
    labels: &'static [Label],
    owner: Owner,
    help: &'static str,
) -> Family {
    Family { name, kind, unit, labels, help, owner }
}

/// Every family of Docket, once.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = &[
    // sync
    row(n::MEETINGS_SYNCED, Counter, None, &[CITY, VENDOR_NAME], Owner::Worker, "Meetings that were found or refreshed"),
    row(n::ITEMS_EXTRACTED, Counter, None, &[CITY, VENDOR_NAME], Owner::Worker, "Agenda items that were extracted"),
    row(n::SEGMENTATIONS, Counter, None, &[label("method", Closed(&["numbering", "headings", "none"])), label("result", Closed(&["segmented", "suspect"]))], Owner::Worker, "Agendas that are only a document, by how their items were found and whether they are believed"),
    row(n::MATTERS_TRACKED, Counter, None, &[CITY], Owner::Worker, "Matters that were created or linked"),
    row(n::MEETING_CHANGES, Counter, None, &[CHANGE], Owner::Worker, "Changes of meetings that a listing or a new revision told, by kind"),
    // processing
    row(n::PROCESSING_DURATION, Histogram(JOB), Some(Seconds), &[KIND], Owner::Worker, "Run time of an attempt"),
    row(n::PDF_EXTRACTION_DURATION, Histogram(JOB), Some(Seconds), &[], Owner::Worker, "Time to read the text of a PDF"),
    row(n::JOBS_IN_FLIGHT, Gauge, None, &[], Owner::Worker, "Jobs that this worker runs now"),
    row(n::WORKER_SLOTS, Gauge, None, &[], Owner::Worker, "Jobs that this worker can run at once"),
    row(n::STUCK_HANDLERS, Gauge, None, &[], Owner::Worker, "Handlers that go on after their attempt has ended, each on a thread of its own"),
    // llm
    row(n::LLM_REQUESTS, Counter, None, &[MODEL, CALL, LLM_STATUS], Owner::Worker, "Requests to a language model; a scheduler counts those of dead workers"),
    row(n::LLM_DURATION, Histogram(LLM), Some(Seconds), &[MODEL], Owner::Worker, "Time of a request to a language model"),
    row(n::LLM_TOKENS, Counter, None, &[MODEL, label("token_type", Closed(&["input", "output"]))], Owner::Worker, "Tokens that were sent and received"),
    row(n::LLM_COST, Histogram(USD), None, &[MODEL, CALL], Owner::Worker, "Cost of a request in US dollars; the sum is the money spent; a scheduler adds that of dead workers"),
    row(n::LLM_REUSED, Counter, None, &[PROMPT], Owner::Worker, "Summaries that were paid for before, or along with another, and needed no request of their own"),
    row(n::LLM_BUDGET, Gauge, None, &[label("budget", Closed(&["day", "month"]))], Owner::Scheduler, "Share of a budget that is spent; 1: jobs wait for its reset"),
    row(n::SUMMARIES_REJECTED, Counter, None, &[REJECTED], Owner::Worker, "Answers of language models that were not taken, by what was wrong; most are asked for a second time"),
    // queue
    row(n::QUEUE_JOBS, Gauge, None, &[LANE, label("status", Closed(&["pending", "held", "queued", "processing", "failed", "dead_letter"]))], Owner::OneProcess, "Jobs of a lane: runnable (counted up to a cap), held, queued, processing, failed, dead_letter"),
    row(n::QUEUE_HELD, Gauge, None, &[LANE, HOLD], Owner::OneProcess, "Pending jobs of a lane that are held, by why"),
    row(n::QUEUE_OLDEST_AGE, Gauge, Some(Seconds), &[LANE], Owner::OneProcess, "For how long the oldest runnable job of a lane has been due, or queued at the broker; 0: none is, or the lane is paused"),
    row(n::DEAD_LETTER_AGE, Gauge, Some(Seconds), &[LANE], Owner::OneProcess, "Age of the oldest dead letter of a lane; 0: there is none"),
    row(n::UNACCOUNTED, Gauge, None, &[label("class", Closed(&["missing", "ghost", "double", "stale_lease", "forgotten", "unrouted", "dead_letter_drift", "orphaned"]))], Owner::OneProcess, "Jobs that are not where the ledger says, by what is wrong; docket audit tells what heals them"),
    row(n::JOBS_PROCESSED, Counter, None, &[KIND, label("status", Closed(&["completed", "failed", "retried", "dead_letter", "cancelled", "released", "snoozed"]))], Owner::Worker, "Attempts by how they ended"),
    row(n::QUEUE_WAIT, Histogram(WAIT), Some(Seconds), &[KIND], Owner::Worker, "From when a job could have run to its claim"),
    // engine
    row(n::PUBLISHED, Counter, None, &[label("outcome", Closed(&["confirmed", "nacked", "returned", "unknown"]))], Owner::Every, "Messages by what became of their publish: a scheduler's pointers, a worker's dead letters"),
    row(n::CONFIRM_DURATION, Histogram(FAST), Some(Seconds), &[], Owner::Every, "From a publish to the answer of the broker"),
    row(n::DUPLICATES_DROPPED, Counter, None, &[], Owner::Worker, "Pointers that were stale: another delivery or a sweep was first"),
    row(n::FENCED, Counter, None, &[], Owner::Worker, "Results that the fence refused"),
    row(n::HANDED_BACK, Counter, None, &[], Owner::Worker, "Messages that found no slot and went back"),
    row(n::LEASED_DIRECTLY, Counter, None, &[], Owner::Worker, "Jobs that a worker took without the broker"),
    row(n::RESCUED, Counter, None, &[label("rule", Closed(&["R1", "R2", "R3", "R4", "R6"]))], Owner::Every, "Jobs that a sweep gave back"),
    row(n::QUARANTINED, Counter, None, &[], Owner::Every, "Messages that nobody can read"),
    row(n::WORKERS, Gauge, None, &[label("state", Closed(&["up", "draining", "dead"]))], Owner::OneProcess, "Workers that the ledger knows, by state; dead: declared so, and not back"),
    row(n::WORKERS_LOST, Counter, None, &[], Owner::Scheduler, "Workers that stopped beating without signing off"),
    // broker
    row(n::BROKER_CONNECTED, Gauge, None, &[CONNECTION], Owner::Every, "1 while connected to RabbitMQ"),
    row(n::BROKER_BLOCKED, Gauge, None, &[CONNECTION], Owner::Every, "1 while RabbitMQ refuses publishes for lack of memory or disk"),
    row(n::BROKER_RECONNECTS, Counter, None, &[CONNECTION], Owner::Every, "Sessions with RabbitMQ that ended and were opened again"),
    // api
    row(n::API_REQUESTS, Counter, None, &[METHOD, ROUTE, label("status", Bounded("HTTP status codes", 16))], Owner::Every, "HTTP requests that were answered"),
    row(n::API_DURATION, Histogram(HTTP), Some(Seconds), &[METHOD, ROUTE], Owner::Every, "Time to answer an HTTP request"),
    row(n::API_REJECTIONS, Counter, None, &[REASON], Owner::Every, "HTTP requests that were answered with an error, by its code"),
    row(n::HTTP_REFUSED, Counter, None, &[label("reason", Closed(&["too_many_connections", "displaced"]))], Owner::Every, "HTTP connections that were refused, or had to make room while they said nothing"),
    // errors
    row(n::ERRORS, Counter, None, &[label("component", AtStart("component")), label("type", AtStart("error_class"))], Owner::Every, "Errors by part of the product and class"),
    // vendor
    row(n::VENDOR_REQUESTS, Counter, None, &[VENDOR_NAME, VENDOR_STATUS], Owner::Worker, "Requests to a vendor's site"),
    row(n::VENDOR_DURATION, Histogram(VENDOR), Some(Seconds), &[VENDOR_NAME], Owner::Worker, "Time of a request to a vendor's site"),
    row(n::BREAKER_STATE, Gauge, None, &[BEHIND, label("state", Closed(&["closed", "open", "half_open"]))], Owner::OneProcess, "1 for the worst state of a vendor's circuit breakers"),
    row(n::BREAKER_TRANSITIONS, Counter, None, &[BEHIND, label("to", Closed(&["closed", "open", "half_open"]))], Owner::Worker, "Changes of a circuit breaker's state"),
    row(n::BREAKER_REJECTED, Counter, None, &[BEHIND], Owner::Worker, "Requests that an open circuit breaker did not let through"),
    row(n::PACE_WAIT, Histogram(PACE), Some(Seconds), &[BEHIND], Owner::Worker, "Time that a request slept until its turn at its host or model: a turn further away is waited for in the ledger"),
    row(n::PACE_HELD, Counter, None, &[BEHIND], Owner::Worker, "Jobs that went back to the ledger, without cost, until their host or model may be asked again"),
    row(n::RECORD_LOST, Counter, None, &[], Owner::Worker, "Answers that could not be written into the record of responses"),
    row(n::TLS_EXCEPTIONS, Counter, None, &[VENDOR_NAME], Owner::Worker, "Requests to hosts whose certificates are not verified, by the setting civic.tls_exceptions"),
    row(n::COVERAGE_SUSPECT, Gauge, None, &[], Owner::Scheduler, "Cities whose last listing yields far less than their own history, or has another shape"),
    // database
    row(n::DB_OPERATIONS, Counter, None, &[OPERATION, label("status", Closed(&["ok", "error"]))], Owner::Every, "Database statements, by name"),
    row(n::DB_DURATION, Histogram(FAST), Some(Seconds), &[OPERATION], Owner::Every, "Time of a database statement, by name"),
    row(n::POOL_CONNECTIONS, Gauge, None, &[POOL, label("state", Closed(&["idle", "in_use"]))], Owner::Every, "Connections of a pool to the database"),
    row(n::POOL_LIMIT, Gauge, None, &[POOL], Owner::Every, "Most connections of a pool"),
    row(n::POOL_WAITING, Gauge, None, &[POOL], Owner::Every, "Callers that wait for a connection of a pool; gate: those of bulk requests"),
    row(n::SCHEMA_MIGRATIONS, Gauge, None, &[label("state", Closed(&["missing", "unknown"]))], Owner::Every, "Migrations that the database lacks and this binary has, or the other way round"),
    // process
    row(n::BUILD_INFO, Gauge, None, &[label("version", Bounded("this binary", 1))], Owner::Every, "1, with the version that runs"),
    row(n::TOKIO_WORKERS, Gauge, None, &[], Owner::Every, "Threads of the asynchronous runtime"),
    row(n::TOKIO_TASKS, Gauge, None, &[], Owner::Every, "Tasks of the asynchronous runtime that have not ended"),
    row(n::TOKIO_QUEUE, Gauge, None, &[], Owner::Every, "Tasks that wait for a thread of the asynchronous runtime"),
    row(n::LOG_LINES_DROPPED, Counter, None, &[], Owner::Every, "Log lines that were dropped because the writer could not keep up"),
    row(n::LOG_LINES_REPEATED, Counter, None, &[], Owner::Every, "Warnings and errors that were left out, because the same line had been told within a minute"),
    row(n::SPANS, Counter, None, &[label("status", Closed(&["recorded", "exported", "failed"]))], Owner::Every, "Spans for a collector of OpenTelemetry: recorded, exported, or lost because it took none; the rest of the recorded wait, or found no room. 0 in a build without the feature otel"),
];
