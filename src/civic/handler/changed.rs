//! What changed is written down and counted, in the transaction that changes it.

use super::fetch_meeting::Agenda;
use crate::{
    civic::{
        model::{Change, ChangeKind, agenda_changes},
        store::{CityId, RevisionId, changes, meetings::Listed, revisions},
    },
    fleet::{handler::HandlerError, ledger::PgTx},
    telemetry::names,
};

/// What a listing says anew of a meeting.
pub(super) async fn listing(tx: &mut PgTx, city: CityId, listed: &Listed) -> Result<(), HandlerError> {
    if listed.changes.is_empty() {
        return Ok(());
    }
    changes::put(tx, (city, listed.id), None, &listed.changes).await?;
    count(tx, &listed.changes);
    Ok(())
}

/// What a new revision says that the one before didn't; what its listing says was told when it was listed.
pub(super) async fn agenda(tx: &mut PgTx, agenda: &Agenda, revision: RevisionId) -> Result<(), HandlerError> {
    let now = &agenda.content;
    let told = match revisions::before(tx, revision).await? {
        Some(old) => agenda_changes((&old.meeting, &old.items), (&now.meeting, &now.items)),
        None => vec![Change::only(ChangeKind::AgendaPublished)],
    };
    if !told.is_empty() {
        changes::put(tx, (agenda.city.id, agenda.meeting), Some(revision), &told).await?;
    }
    count(tx, &told);
    Ok(())
}

pub(super) fn count(tx: &mut PgTx, changes: &[Change]) {
    for change in changes {
        tx.count(metrics::counter!(names::MEETING_CHANGES, "kind" => change.kind.as_str()), 1);
    }
}
