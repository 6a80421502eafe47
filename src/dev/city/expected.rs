//! What a fleet must have made of the city, when nothing is left to do.

use super::{
    Fault,
    plan::{Plan, RowKind},
};
use std::collections::BTreeSet;

/// Numbers to compare with the ledger and the domain's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Expected {
    /// Rows of `meetings`, the cancelled ones included.
    pub meetings: usize,
    /// Of those, cancelled: stored, and not read further.
    pub cancelled: usize,
    /// Rows of `agenda_items`.
    pub items: usize,
    /// Of those, without a summary because they are too short.
    pub skipped: usize,
    /// Rows of `documents`: distinct bytes.
    pub documents: usize,
    /// Rows of `summaries`: of items and of meetings.
    pub summaries: usize,
    /// Rows of `matters`.
    pub matters: usize,
    /// Jobs `failed`: a missing document each.
    pub failed: usize,
    /// Jobs `dead_letter`: an address each that never answers.
    pub dead_letter: usize,
    /// Failed attempts that were tried again, if no worker is killed: more then.
    pub min_retries: usize,
}

impl Expected {
    pub(super) fn of(plan: &Plan) -> Self {
        let rows = || plan.held().flat_map(|meeting| &meeting.rows);
        let of_kind = |kind| rows().filter(|row| row.kind == kind).count();
        let faults = |fault| plan.documents().filter(|document| document.fault == Some(fault)).count();
        let lost = |document: &&super::plan::Document| matches!(document.fault, Some(Fault::Missing | Fault::Broken));
        let (business, procedure) = (of_kind(RowKind::Business), of_kind(RowKind::Procedure));
        let files: BTreeSet<&str> = rows().filter_map(|row| Some(row.matter.as_ref()?.file.as_str())).collect();
        let bytes: BTreeSet<&[u8]> = plan.documents().filter(|d| !lost(d)).map(|d| d.bytes.as_slice()).collect();
        Self {
            meetings: plan.meetings.len(),
            cancelled: plan.meetings.len() - plan.held().count(),
            items: business + procedure,
            skipped: procedure,
            documents: bytes.len(),
            summaries: business + plan.held().count(),
            matters: files.len(),
            failed: faults(Fault::Missing),
            dead_letter: faults(Fault::Broken),
            // Three attempts: two of them are tried again.
            min_retries: 2 * (faults(Fault::FailsTwice) + faults(Fault::Broken)),
        }
    }
}
