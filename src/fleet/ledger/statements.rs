//! The statements whose plans are tested, by the names that they have in metrics.

use super::{audit, audit_rows, breakers, claim, dead, finish, holds, operate, paces, pick, siblings, sweeps, workers};
use crate::fleet::enqueue;

/// Each name with its SQL. For the test of the plans: the SQL is no part of the interface.
#[must_use]
pub fn statements() -> Vec<(&'static str, &'static str)> {
    vec![
        ("enqueue_found", enqueue::FOUND),
        ("enqueue_count", enqueue::COUNT),
        ("enqueue_parent", enqueue::IS_PENDING),
        ("siblings", siblings::SIBLINGS),
        ("pick", pick::PICK),
        ("hand_back", &pick::HAND_BACK),
        ("mark_confirmed", pick::MARK_CONFIRMED),
        ("oldest_due", pick::OLDEST_DUE),
        ("claim", &claim::CLAIM),
        ("ahead", claim::AHEAD),
        ("claim_again", &claim::CLAIM_AGAIN),
        ("lease", &claim::LEASE),
        ("lease_suspect", &claim::LEASE_SUSPECT),
        ("complete", &finish::COMPLETE),
        ("complete_one", &finish::COMPLETE_ONE),
        ("complete_delete", &finish::COMPLETE_AND_DELETE),
        ("complete_delete_one", &finish::COMPLETE_AND_DELETE_ONE),
        ("fail", &finish::FAIL),
        ("release", &finish::RELEASE),
        ("discard", &finish::DISCARD),
        ("forget", finish::FORGET),
        ("still_held", &finish::STILL_HELD),
        ("held", workers::HELD),
        ("lift_due", holds::LIFT_TIME),
        ("lift_parents", holds::LIFT_PARENTS),
        ("lift_kinds", holds::LIFT_KINDS),
        ("lift_breakers", breakers::LIFT_BREAKERS),
        ("lift_paces", paces::LIFT_PACES),
        ("park", holds::PARK),
        ("sweep_r1", &sweeps::UNCONFIRMED),
        ("sweep_r2", &sweeps::OLDER_GENERATION),
        ("sweep_r3", &sweeps::FORGOTTEN),
        ("sweep_r4", &sweeps::REAP),
        ("dead_missing", dead::MISSING),
        ("dead_marked", dead::MARKED),
        ("dead_mark", dead::MARK),
        ("dead_still", dead::STILL),
        ("audit_doubles", audit::DOUBLES),
        ("audit_held_by", audit::HELD_BY),
        ("audit_head", audit::HEAD),
        ("audit_waiting", audit::WAITING),
        ("audit_recount", audit::RECOUNT),
        ("audit_give_back", audit_rows::GIVE_BACK),
        ("operate_cancel", operate::cancel::CANCEL),
        ("operate_discard", operate::discard::DISCARD),
        ("operate_requeue", operate::requeue::REQUEUE),
        ("operate_undo", operate::undo::UNDO),
    ]
}
