//! What a fleet must have made of the city, when nothing is left to do.

use super::{
    Fault,
    plan::{Plan, RowKind},
};
use std::collections::BTreeSet;

/// Numbers to compare with the ledger and the domain's tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
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
    /// What two cities make together, which share no document and no matter.
    #[must_use]
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            meetings: self.meetings + other.meetings,
            cancelled: self.cancelled + other.cancelled,
            items: self.items + other.items,
            skipped: self.skipped + other.skipped,
            documents: self.documents + other.documents,
            summaries: self.summaries + other.summaries,
            matters: self.matters + other.matters,
            failed: self.failed + other.failed,
            dead_letter: self.dead_letter + other.dead_letter,
            min_retries: self.min_retries + other.min_retries,
        }
    }

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
