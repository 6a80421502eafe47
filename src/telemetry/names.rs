//! Every metric name of Docket, once. What each means, its labels and buckets stand in `super::families`.

#![expect(missing_docs, reason = "each constant is its own name; the help texts are in `families`")]

// sync
pub const MEETINGS_SYNCED: &str = "docket_meetings_synced_total"; // city, vendor
pub const ITEMS_EXTRACTED: &str = "docket_items_extracted_total"; // city, vendor
pub const SEGMENTATIONS: &str = "docket_segmentations_total"; // method, result
pub const MATTERS_TRACKED: &str = "docket_matters_tracked_total"; // city
pub const MEETING_CHANGES: &str = "docket_meeting_changes_total"; // kind
// processing
pub const PROCESSING_DURATION: &str = "docket_processing_duration_seconds"; // job_type
pub const PDF_EXTRACTION_DURATION: &str = "docket_pdf_extraction_duration_seconds";
pub const JOBS_IN_FLIGHT: &str = "docket_jobs_in_flight";
pub const WORKER_SLOTS: &str = "docket_worker_slots";
pub const STUCK_HANDLERS: &str = "docket_stuck_handlers";
// llm
pub const LLM_REQUESTS: &str = "docket_llm_requests_total"; // model, prompt_type, status
pub const LLM_DURATION: &str = "docket_llm_request_duration_seconds"; // model
pub const LLM_TOKENS: &str = "docket_llm_tokens_total"; // model, token_type
pub const LLM_COST: &str = "docket_llm_request_cost_usd"; // model, prompt_type
pub const LLM_REUSED: &str = "docket_llm_reused_total"; // prompt_type
pub const LLM_BUDGET: &str = "docket_llm_budget_spent_ratio"; // budget
pub const SUMMARIES_REJECTED: &str = "docket_summaries_rejected_total"; // reason
// queue
pub const QUEUE_JOBS: &str = "docket_queue_jobs"; // lane, status
pub const QUEUE_HELD: &str = "docket_queue_held_jobs"; // lane, reason
pub const QUEUE_OLDEST_AGE: &str = "docket_queue_oldest_available_age_seconds"; // lane
pub const DEAD_LETTER_AGE: &str = "docket_dead_letter_oldest_age_seconds"; // lane
pub const UNACCOUNTED: &str = "docket_unaccounted_jobs"; // class
pub const JOBS_PROCESSED: &str = "docket_queue_jobs_processed_total"; // job_type, status
pub const QUEUE_WAIT: &str = "docket_queue_wait_seconds"; // job_type
// engine
pub const PUBLISHED: &str = "docket_messages_published_total"; // outcome
pub const CONFIRM_DURATION: &str = "docket_publish_confirm_duration_seconds";
pub const DUPLICATES_DROPPED: &str = "docket_duplicate_deliveries_total";
pub const FENCED: &str = "docket_fenced_writes_total";
pub const HANDED_BACK: &str = "docket_messages_handed_back_total";
pub const LEASED_DIRECTLY: &str = "docket_direct_leases_total";
pub const RESCUED: &str = "docket_jobs_rescued_total"; // rule
pub const QUARANTINED: &str = "docket_messages_quarantined_total";
pub const WORKERS: &str = "docket_workers"; // state
pub const WORKERS_LOST: &str = "docket_workers_lost_total";
// broker
pub const BROKER_CONNECTED: &str = "docket_amqp_connected"; // connection
pub const BROKER_BLOCKED: &str = "docket_amqp_blocked"; // connection
pub const BROKER_RECONNECTS: &str = "docket_amqp_reconnects_total"; // connection
// api
pub const API_REQUESTS: &str = "docket_api_requests_total"; // method, route, status
pub const API_DURATION: &str = "docket_api_request_duration_seconds"; // method, route
pub const API_REJECTIONS: &str = "docket_api_rejections_total"; // reason
pub const HTTP_REFUSED: &str = "docket_http_connections_refused_total"; // reason
// errors
pub const ERRORS: &str = "docket_errors_total"; // component, type
// vendor
pub const VENDOR_REQUESTS: &str = "docket_vendor_requests_total"; // vendor, status
pub const VENDOR_DURATION: &str = "docket_vendor_request_duration_seconds"; // vendor
pub const BREAKER_STATE: &str = "docket_circuit_breaker_state"; // vendor, state
pub const BREAKER_TRANSITIONS: &str = "docket_circuit_breaker_transitions_total"; // vendor, to
pub const BREAKER_REJECTED: &str = "docket_circuit_breaker_rejected_total"; // vendor
pub const PACE_WAIT: &str = "docket_pace_wait_seconds"; // vendor
pub const PACE_HELD: &str = "docket_pace_held_total"; // vendor
pub const RECORD_LOST: &str = "docket_record_lost_total";
pub const TLS_EXCEPTIONS: &str = "docket_tls_exceptions_total"; // vendor
pub const COVERAGE_SUSPECT: &str = "docket_coverage_suspect_cities";
// database
pub const DB_OPERATIONS: &str = "docket_db_operations_total"; // operation, status
pub const DB_DURATION: &str = "docket_db_operation_duration_seconds"; // operation
pub const POOL_CONNECTIONS: &str = "docket_db_pool_connections"; // pool, state
pub const POOL_LIMIT: &str = "docket_db_pool_limit"; // pool
pub const POOL_WAITING: &str = "docket_db_pool_waiting"; // pool
pub const SCHEMA_MIGRATIONS: &str = "docket_schema_migrations"; // state
// process
pub const BUILD_INFO: &str = "docket_build_info"; // version
pub const TOKIO_WORKERS: &str = "docket_tokio_workers";
pub const TOKIO_TASKS: &str = "docket_tokio_alive_tasks";
pub const TOKIO_QUEUE: &str = "docket_tokio_global_queue_depth";
pub const LOG_LINES_DROPPED: &str = "docket_log_lines_dropped_total";
pub const LOG_LINES_REPEATED: &str = "docket_log_lines_repeated_total";
pub const SPANS: &str = "docket_spans_total";
