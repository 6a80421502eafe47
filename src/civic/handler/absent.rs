//! Meetings that a complete listing lacks.

use super::changed;
use crate::{
    civic::{
        model::{Absence, Change, MeetingStatus, absence},
        store::{CityId, MeetingId, absences, changes},
        vendor::Window,
    },
    fleet::{handler::HandlerError, ledger::PgTx},
};
use jiff::civil::Date;

/// Counts, for each known meeting of the window, the listings in a row that lack it; the third withdraws it. One that is
/// shown begins anew.
pub(super) async fn note(
    tx: &mut PgTx,
    city: CityId,
    (window, today): (Window, Date),
    shown: &[MeetingId],
) -> Result<(), HandlerError> {
    absences::seen(tx, shown).await?;
    for meeting in absences::lacking(tx, city, (window.from, window.to), shown).await? {
        // A status of a newer version is none that this one may change.
        let Ok(status) = meeting.status.parse::<MeetingStatus>() else { continue };
        match absence(status, meeting.date, (window.from, window.to), today, meeting.missed) {
            Absence::Nothing => {}
            Absence::Missed(missed) => absences::missed(tx, meeting.id, missed).await?,
            Absence::Withdrawn(evidence) => {
                absences::withdraw(tx, meeting.id, &evidence).await?;
                let withdrawn = MeetingStatus::Withdrawn.as_str();
                let told = [Change::status(&meeting.status, withdrawn, Some(&evidence))];
                changes::put(tx, (city, meeting.id), None, &told).await?;
                changed::count(tx, &told);
            }
        }
    }
    Ok(())
}
