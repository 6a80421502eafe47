//! Settings that are fine alone and contradict each other. Pure: each rule in words, so that the reader can decide which of
//! the two to change.

use super::{fleet::FleetConfig, lookup::ConfigError, units::show_duration as show};
use crate::fleet::settings::Protocol;
use std::time::Duration;

/// What is wrong with the fleet's settings together. The texts name settings by their keys.
pub(super) fn fleet(config: &FleetConfig) -> Vec<ConfigError> {
    let mut found = times(&config.protocol);
    found.extend(against_the_broker(&config.protocol, config.consumer_timeout));
    found
}

/// What is wrong with a worker's slots in this fleet.
pub(super) fn slots(slots: u32, protocol: &Protocol) -> Option<ConfigError> {
    let (max, least) = (protocol.window_max, 2 * i64::from(slots));
    refuse(max < least, "DOCKET_WINDOW_MAX", || {
        format!(
            "{max} is less than twice worker.slots ({slots}): the window of queued jobs must hold at least {least}, or a \
             worker idles while its next jobs are on their way"
        )
    })
}

fn times(protocol: &Protocol) -> Vec<ConfigError> {
    let three = 3 * protocol.heartbeat;
    let shorter = |name: &str, time: Duration, other: &str, than: Duration, why: &str| {
        refuse(time >= than, name, || format!("{} is not shorter than {other} ({}): {why}", show(time), show(than)))
    };
    let losses = (protocol.losses_max, protocol.suspect_losses);
    [
        refuse(protocol.lease < three, "DOCKET_LEASE", || {
            format!(
                "{} is shorter than three heartbeats (3 × fleet.heartbeat, {}): a busy worker would look dead",
                show(protocol.lease),
                show(protocol.heartbeat)
            )
        }),
        shorter(
            "DOCKET_SWEEP",
            protocol.sweep,
            "fleet.watch_gap",
            protocol.watch_gap,
            "each look at the heartbeats would begin to count anew, and no dead worker would ever be found",
        ),
        shorter(
            "DOCKET_MARK_CONFIRMED_AFTER",
            protocol.mark_confirmed_after,
            "fleet.unconfirmed",
            protocol.unconfirmed,
            "messages that the broker has confirmed would go back as if it had not",
        ),
        shorter(
            "DOCKET_SLOW_PUBLISH",
            protocol.slow_publish,
            "fleet.confirm_deadline",
            protocol.confirm_deadline,
            "a publish would be given up before it counts as slow",
        ),
        refuse(protocol.dead_pass > protocol.dead_audit, "DOCKET_DEAD_AUDIT", || {
            format!(
                "{} is shorter than fleet.dead_pass ({}): a pass can't come more often than it may",
                show(protocol.dead_audit),
                show(protocol.dead_pass)
            )
        }),
        refuse(protocol.pointers_min > protocol.pointers_max, "DOCKET_POINTERS_MIN", || {
            format!(
                "{} is above fleet.pointers_max ({}): no message could hold so many",
                protocol.pointers_min, protocol.pointers_max
            )
        }),
        refuse(losses.0 <= losses.1, "DOCKET_LOSSES_MAX", || {
            format!(
                "{} is not above fleet.suspect_losses ({}): a suspect must get a try on its own before it is a dead letter",
                losses.0, losses.1
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn against_the_broker(protocol: &Protocol, timeout: Duration) -> Vec<ConfigError> {
    let (job, held) = (protocol.job_timeout, protocol.hand_back + protocol.statement);
    let broker = format!("broker.consumer_timeout ({})", show(timeout));
    [
        refuse(job >= timeout, "DOCKET_JOB_TIMEOUT", || {
            format!(
                "{} is not shorter than {broker}: raise both together, the broker's consumer_timeout too. Docket \
                 acknowledges when a job is claimed, so no running job is in the broker's hands; this is a guard rail for \
                 a worker that comes to hold what it runs",
                show(job)
            )
        }),
        refuse(held >= timeout, "DOCKET_HAND_BACK", || {
            format!(
                "{} and fleet.statement ({}) together are not shorter than {broker}: the broker would close the channel \
                 under a message that waits for a slot",
                show(protocol.hand_back),
                show(protocol.statement)
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn refuse(is_wrong: bool, name: &str, problem: impl FnOnce() -> String) -> Option<ConfigError> {
    is_wrong.then(|| ConfigError::new(name, problem()))
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};
    use crate::config;

    /// Values, the setting that is named, and words of the rule.
    type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);

    const REFUSED: &[Case] = &[
        (&[("DOCKET_LEASE", "8s")], "DOCKET_LEASE", "three heartbeats"),
        (&[("DOCKET_HEARTBEAT", "6s")], "DOCKET_LEASE", "three heartbeats"),
        (&[("DOCKET_PROFILE", "short"), ("DOCKET_HEARTBEAT", "3s")], "DOCKET_LEASE", "three heartbeats"),
        (&[("DOCKET_JOB_TIMEOUT", "30m")], "DOCKET_JOB_TIMEOUT", "raise both together"),
        (&[("DOCKET_CONSUMER_TIMEOUT", "20m")], "DOCKET_JOB_TIMEOUT", "raise both together"),
        (&[("DOCKET_CONSUMER_TIMEOUT", "20s"), ("DOCKET_JOB_TIMEOUT", "5s")], "DOCKET_HAND_BACK", "waits for a slot"),
        (&[("DOCKET_SWEEP", "5s")], "DOCKET_SWEEP", "no dead worker"),
        (&[("DOCKET_UNCONFIRMED", "2s")], "DOCKET_MARK_CONFIRMED_AFTER", "go back"),
        (&[("DOCKET_SLOW_PUBLISH", "20s")], "DOCKET_SLOW_PUBLISH", "given up"),
        (&[("DOCKET_DEAD_AUDIT", "4s")], "DOCKET_DEAD_AUDIT", "more often"),
        (&[("DOCKET_SUSPECT_LOSSES", "5")], "DOCKET_LOSSES_MAX", "suspect"),
        (&[("DOCKET_LOSSES_MAX", "3"), ("DOCKET_SUSPECT_LOSSES", "3")], "DOCKET_LOSSES_MAX", "suspect"),
    ];

    const ALLOWED: &[&[(&str, &str)]] = &[
        &[],
        &[("DOCKET_PROFILE", "short")],
        &[("DOCKET_LEASE", "9s")],
        &[("DOCKET_JOB_TIMEOUT", "2h"), ("DOCKET_CONSUMER_TIMEOUT", "3h")],
        &[("DOCKET_LOSSES_MAX", "3")],
        &[("DOCKET_DEAD_AUDIT", "5s")],
    ];

    #[test]
    fn contradictions_are_refused_with_the_rule() {
        for (vars, name, words) in REFUSED {
            let error = config::fleet(&env(vars)).expect_err(name);
            assert_eq!(error.name, *name, "{vars:?}");
            assert!(error.problem.contains(words), "{error}");
        }
    }

    #[test]
    fn what_does_not_contradict_passes() {
        for vars in ALLOWED {
            assert!(config::fleet(&env(vars)).is_ok(), "{vars:?}");
        }
    }

    #[test]
    fn the_window_holds_twice_the_slots() {
        let protocol = Protocol { window_max: 31, ..Protocol::default() };
        assert!(slots(15, &protocol).is_none());
        let error = slots(16, &protocol).expect("31 is less than 32").to_string();
        assert!(error.contains("worker.slots") && error.contains("32"), "{error}");
    }

    #[test]
    fn all_contradictions_are_told_at_once() {
        let protocol = Protocol {
            lease: Duration::from_secs(1),
            losses_max: 2,
            job_timeout: Duration::from_hours(1),
            ..Protocol::default()
        };
        let found = [times(&protocol), against_the_broker(&protocol, Duration::from_mins(30))].concat();
        let names: Vec<&str> = found.iter().map(|error| error.name.as_str()).collect();
        assert_eq!(names, ["DOCKET_LEASE", "DOCKET_LOSSES_MAX", "DOCKET_JOB_TIMEOUT"]);
    }
}
