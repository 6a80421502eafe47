//! Places between two steps of the protocol where a test lets this process die, or stand still.
//!
//! They exist only in builds with the feature `crash-points`; in all others `point` is an empty function. A process
//! that finds `DOCKET_CRASH_AT=after_claim:3` kills itself, as `kill -9` would, when it passes `after_claim` for the
//! third time; `DOCKET_STALL_AT` stops it there as `SIGSTOP` would, until somebody continues it. So each "death between
//! A and B" is a test of its own.

/// The variables that choose a point. They are no settings: nothing but a test sets them.
pub const VARIABLES: [&str; 2] = ["DOCKET_CRASH_AT", "DOCKET_STALL_AT"];

macro_rules! points {
    ($($(#[$doc:meta])* $point:ident $name:literal,)*) => {
        /// Between which two steps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Point {
            $($(#[$doc])* $point,)*
        }

        impl Point {
            /// All of them, in the order of a job's way.
            pub const ALL: &[Self] = &[$(Self::$point),*];

            /// Its name in the variables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }
        }
    };
}

points! {
    /// A scheduler: rows are queued and committed, their message is not published.
    AfterMark "after_mark",
    /// A scheduler: the message is written to the broker's socket, its confirm has not come.
    AfterPublish "after_publish",
    /// A scheduler: the confirm came, and the ledger does not know it yet.
    AfterConfirmBeforeMark "after_confirm_before_mark",
    /// A scheduler: a sweep brought rows back, and its other rules have not run.
    MidSweep "mid_sweep",
    /// A scheduler: the broker has the exchange of the next generation, the ledger still counts the old one.
    BeforeGenerationMark "before_generation_mark",
    /// A worker: the claim is committed, its delivery is not acknowledged, nothing runs yet.
    AfterClaim "after_claim",
    /// A worker: jobs were leased without a message, nothing runs yet.
    AfterDirectLease "after_direct_lease",
    /// A worker: a suspect was leased, nothing runs yet.
    AfterSuspectLease "after_suspect_lease",
    /// A worker: deliveries without a slot are about to be handed back.
    BeforeHandBack "before_hand_back",
    /// A worker: they were handed back, and their deliveries are not acknowledged.
    AfterHandBack "after_hand_back",
    /// A worker: a handler is about to run.
    MidHandler "mid_handler",
    /// A worker: a handler has ended, nobody knows how.
    AfterHandler "after_handler",
    /// A worker: effects are written, their transaction is open.
    AfterEffectBeforeCommit "after_effect_before_commit",
    /// A worker: effects and completion are committed, the worker has not heard of it.
    AfterCommit "after_commit",
    /// A worker: a batch of completions is committed, the worker has not heard of it.
    AfterCompletion "after_completion",
    /// A worker: a dead letter is committed, its copy is not published.
    AfterDeadCommit "after_dead_commit",
    /// A worker or a scheduler: the copy of a dead letter is confirmed, and the ledger does not know it yet.
    BeforeDeadMark "before_dead_mark",
    /// A worker: a heartbeat was answered, nothing was done about the answer.
    AfterHeartbeat "after_heartbeat",
    /// A worker: rows that it doesn't hold went back (R6), their messages are still there.
    AfterStrays "after_strays",
    /// A worker: the drain is announced, jobs still run.
    OnShutdown "on_shutdown",
    /// A server: jobs from outside are committed, the caller has no answer.
    AfterEnqueue "after_enqueue",
}

/// Passes a point.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub(in crate::fleet) const fn point(_: Point) {}

#[cfg(feature = "crash-points")]
pub(in crate::fleet) use armed::point;
#[cfg(feature = "crash-points")]
pub use armed::{CrashError, arm};

#[cfg(feature = "crash-points")]
mod armed {
    use super::{Point, VARIABLES};
    use nix::sys::signal::{Signal, raise};
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    /// What stands in one of the variables and makes no sense.
    #[derive(Debug, PartialEq, Eq, thiserror::Error)]
    pub enum CrashError {
        /// There is no such point.
        #[error("{variable}: there is no point {name:?}; the points are {}", names())]
        Unknown {
            /// Which variable.
            variable: &'static str,
            /// What it names.
            name: String,
        },
        /// Not a number of passes.
        #[error("{variable}: {passes:?} is not a number of passes: write name or name:3")]
        Passes {
            /// Which variable.
            variable: &'static str,
            /// What stands after the colon.
            passes: String,
        },
    }

    fn names() -> String {
        Point::ALL.iter().map(|point| point.as_str()).collect::<Vec<_>>().join(", ")
    }

    #[derive(Debug)]
    struct Armed {
        point: Point,
        signal: Signal,
        /// Passes until it acts.
        left: AtomicU64,
    }

    static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();

    /// Arms the points that the variables name, once a process.
    ///
    /// # Errors
    /// A name that is no point's, or a number of passes that is none.
    pub fn arm(get: impl Fn(&str) -> Option<String>) -> Result<(), CrashError> {
        let mut armed = Vec::new();
        for (variable, signal) in VARIABLES.into_iter().zip([Signal::SIGKILL, Signal::SIGSTOP]) {
            if let Some(text) = get(variable).filter(|text| !text.is_empty()) {
                armed.push(parse(variable, signal, &text)?);
            }
        }
        // A second call finds the first one's points: a process is armed at its start, and stays so.
        let _ = ARMED.set(armed);
        Ok(())
    }

    fn parse(variable: &'static str, signal: Signal, text: &str) -> Result<Armed, CrashError> {
        let (name, passes) = text.split_once(':').unwrap_or((text, "1"));
        let point = Point::ALL.iter().copied().find(|point| point.as_str() == name);
        let point = point.ok_or_else(|| CrashError::Unknown { variable, name: name.to_owned() })?;
        let left = passes.parse::<u64>().ok().filter(|n| *n > 0);
        let left = left.ok_or_else(|| CrashError::Passes { variable, passes: passes.to_owned() })?;
        Ok(Armed { point, signal, left: AtomicU64::new(left) })
    }

    /// Passes a point.
    pub(in crate::fleet) fn point(point: Point) {
        for armed in ARMED.get().into_iter().flatten().filter(|armed| armed.point == point) {
            // Below zero it wraps, and is not seen again.
            if armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                // To this very thread, so that it takes the signal before it goes on: one to the process may find another
                // thread first. It can't fail.
                let _ = raise(armed.signal);
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::collections::HashSet;

        #[test]
        fn every_point_is_found_by_its_name() {
            let names: HashSet<&str> = Point::ALL.iter().map(|point| point.as_str()).collect();
            assert_eq!(names.len(), Point::ALL.len());
            for point in Point::ALL {
                let armed = parse(VARIABLES[0], Signal::SIGKILL, &format!("{}:7", point.as_str())).unwrap();
                assert_eq!((armed.point, armed.left.into_inner()), (*point, 7));
            }
            assert_eq!(parse(VARIABLES[1], Signal::SIGSTOP, "after_claim").unwrap().left.into_inner(), 1);
        }

        #[test]
        fn what_makes_no_sense_is_refused_with_what_would() {
            let refused = |text: &str| {
                let get = |name: &str| (name == "DOCKET_CRASH_AT").then(|| text.to_owned());
                arm(get).unwrap_err().to_string()
            };
            assert!(refused("after_lunch").contains("no point \"after_lunch\"; the points are after_mark, "));
            for passes in ["after_mark:", "after_mark:0", "after_mark:-1", "after_mark:x", "after_mark:1:2"] {
                assert!(refused(passes).contains("is not a number of passes"), "{passes}");
            }
        }
    }
}
