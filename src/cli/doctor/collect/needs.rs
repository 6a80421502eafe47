//! What a role does with each table. infra/postgres/roles.sql grants it, column by column.

use super::super::facts::Role;

/// A table or sequence, and rights on it.
type Need = (&'static str, &'static [&'static str]);

const READ: &[&str] = &["SELECT"];
const ADD: &[&str] = &["SELECT", "INSERT"];
const CHANGE: &[&str] = &["SELECT", "INSERT", "UPDATE"];
const ALL: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE"];

/// Every role looks at the schema's version before it starts.
const EVERY: &[Need] = &[("refinery_schema_history", READ)];

const SCHEDULER: &[Need] = &[
    ("jobs", ALL),
    ("job_messages", ALL),
    ("job_attempts", &["SELECT", "INSERT", "DELETE"]),
    ("job_events", &["SELECT", "INSERT", "DELETE"]),
    ("workers", ALL),
    ("paused_kinds", READ),
    ("paused_lanes", READ),
    ("broker_state", &["SELECT", "UPDATE"]),
    ("quarantine", &["SELECT", "INSERT", "DELETE"]),
    ("audit_verdict", CHANGE),
    ("breakers", READ),
    ("cities", READ),
    ("city_syncs", READ),
    ("meetings", READ),
    ("paces", &["SELECT", "UPDATE", "DELETE"]),
    ("responses", &["SELECT", "DELETE"]),
    ("response_bodies", &["SELECT", "DELETE"]),
    // It exports how much of the budgets is spent, and books the calls of dead workers.
    ("llm_spend", CHANGE),
    ("llm_reservations", &["SELECT", "UPDATE", "DELETE"]),
    ("llm_ledger", ADD),
    // The sweeps read how far it is.
    ("job_message_seq", &["USAGE", "SELECT"]),
];

const WORKER: &[Need] = &[
    // Handlers enqueue jobs.
    ("jobs", CHANGE),
    ("job_messages", ALL),
    ("job_attempts", ADD),
    ("job_events", ADD),
    ("workers", CHANGE),
    ("paused_kinds", READ),
    ("paused_lanes", READ),
    ("broker_state", READ),
    ("quarantine", &["SELECT", "INSERT", "DELETE"]),
    ("job_message_seq", &["USAGE"]),
    ("breakers", CHANGE),
    ("paces", CHANGE),
    ("responses", ADD),
    ("response_bodies", CHANGE),
    ("cities", &["SELECT", "UPDATE"]),
    ("city_syncs", &["SELECT", "INSERT", "DELETE"]),
    ("meetings", CHANGE),
    ("meeting_aliases", ADD),
    ("meeting_revisions", ADD),
    ("agenda_items", CHANGE),
    ("agenda_segments", ADD),
    ("documents", ADD),
    ("document_refs", CHANGE),
    ("document_changes", ADD),
    ("extractions", ADD),
    ("summaries", ADD),
    ("matters", CHANGE),
    ("matter_appearances", ALL),
    ("matter_aliases", READ),
    ("meeting_changes", ADD),
    ("llm_ledger", ADD),
    ("llm_answers", ADD),
    ("llm_spend", CHANGE),
    ("llm_pauses", CHANGE),
    ("llm_reservations", ALL),
];

/// It reads everything, and writes what operators do through the API.
const SERVER: &[Need] = &[
    ("jobs", CHANGE),
    ("job_messages", READ),
    ("job_attempts", READ),
    ("job_events", ADD),
    ("workers", READ),
    ("paused_kinds", &["SELECT", "INSERT", "DELETE"]),
    ("paused_lanes", &["SELECT", "INSERT", "DELETE"]),
    ("broker_state", &["SELECT", "UPDATE"]),
    ("cities", READ),
    ("meetings", READ),
    ("agenda_items", READ),
    ("documents", READ),
    ("summaries", READ),
    ("matters", READ),
    ("matter_acts", READ),
    ("meeting_changes", READ),
];

/// Pairs of a table and a right, each once.
pub(super) fn pairs(roles: &[Role]) -> Vec<(&'static str, &'static str)> {
    let of = |role: &Role| match role {
        Role::Scheduler => SCHEDULER,
        Role::Worker => WORKER,
        Role::Server => SERVER,
    };
    let needs = EVERY.iter().chain(roles.iter().flat_map(of));
    let mut pairs: Vec<_> = needs.flat_map(|(table, rights)| rights.iter().map(|right| (*table, *right))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}
