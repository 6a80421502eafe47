//! The fleet.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DOCKET_LANES` | lanes that a scheduler dispatches and a topology has, separated by commas | `default` |
//! | `DOCKET_PROFILE` | `production`, or `short`: all times of the protocol five times shorter, for tests | `production` |
//! | `DOCKET_<FIELD>` | each field of [`Protocol`], in upper case: `DOCKET_LEASE`, `DOCKET_GRACE`, `DOCKET_POINTERS_MAX` … | see there |
//! | `DOCKET_RETENTION_COMPLETED` | how long completed jobs are kept | `720h` |
//! | `DOCKET_RETENTION_FAILED` | how long failed and cancelled jobs are kept | `2160h` |

use super::lookup::{ConfigError, Environment};
use crate::fleet::{broker::Topology, ports::Retention, settings::Protocol};

/// The fleet's part of the configuration.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    /// Lanes and the names that follow from them.
    pub topology: Topology,
    /// Times and bounds of the protocol.
    pub protocol: Protocol,
    /// How long ended jobs are kept.
    pub retention: Retention,
}

/// Reads the fleet's variables.
///
/// # Errors
/// When a value can't be used, or two of them contradict each other.
pub fn fleet(env: &Environment) -> Result<FleetConfig, ConfigError> {
    let lanes = env.get("DOCKET_LANES").unwrap_or("default").split(',').map(str::trim);
    let topology = Topology::new(lanes).map_err(|e| ConfigError::new("DOCKET_LANES", e.to_string()))?;
    let mut protocol = match env.get("DOCKET_PROFILE") {
        None | Some("production") => Protocol::default(),
        Some("short") => Protocol::five_times_shorter(),
        Some(_) => return Err(ConfigError::new("DOCKET_PROFILE", "one of production, short")),
    };
    read(env, &mut protocol)?;
    check(&protocol)?;
    let keep = Retention::default();
    let retention = Retention {
        completed: env.duration("DOCKET_RETENTION_COMPLETED", keep.completed)?,
        failed: env.duration("DOCKET_RETENTION_FAILED", keep.failed)?,
        kinds: keep.kinds,
    };
    Ok(FleetConfig { topology, protocol, retention })
}

macro_rules! read_fields {
    ($env:ident.$read:ident => $protocol:ident: $($field:ident)*) => {
        $($protocol.$field = $env.$read(&format!("DOCKET_{}", stringify!($field).to_uppercase()), $protocol.$field)?;)*
    };
}

fn read(env: &Environment, protocol: &mut Protocol) -> Result<(), ConfigError> {
    read_fields!(env.duration => protocol: heartbeat lease sweep unconfirmed forgotten silent_broker probe slow_publish
        confirm_deadline mark_confirmed_after hand_back direct_lease watch_gap poll dead_pass dead_audit grace statement
        window retention_walk);
    read_fields!(env.number => protocol: window_max pointers_max pick_rows batch losses_max suspect_losses retention_rows);
    Ok(())
}

fn check(protocol: &Protocol) -> Result<(), ConfigError> {
    if protocol.heartbeat.is_zero() || protocol.lease < 3 * protocol.heartbeat {
        return Err(ConfigError::new("DOCKET_LEASE", "shorter than three heartbeats: a busy worker would look dead"));
    }
    let numbers = [
        ("DOCKET_POINTERS_MAX", i64::from(protocol.pointers_max), 1..=1000),
        ("DOCKET_PICK_ROWS", protocol.pick_rows.into(), 1..=10_000),
        ("DOCKET_BATCH", i64::try_from(protocol.batch).unwrap_or(i64::MAX), 1..=10_000),
        ("DOCKET_WINDOW_MAX", protocol.window_max, 1..=1_000_000),
        // The index of suspects holds rows with two losses and more.
        ("DOCKET_SUSPECT_LOSSES", protocol.suspect_losses.into(), 2..=100),
        ("DOCKET_LOSSES_MAX", protocol.losses_max.into(), i64::from(protocol.suspect_losses) + 1..=1000),
        ("DOCKET_RETENTION_ROWS", protocol.retention_rows.into(), 1..=100_000),
    ];
    for (name, value, range) in numbers {
        if !range.contains(&value) {
            return Err(ConfigError::new(name, format!("{value} is not from {} to {}", range.start(), range.end())));
        }
    }
    let times =
        [("DOCKET_STATEMENT", protocol.statement), ("DOCKET_SWEEP", protocol.sweep), ("DOCKET_POLL", protocol.poll)];
    if let Some((name, _)) = times.iter().find(|(_, time)| time.is_zero()) {
        return Err(ConfigError::new(name, "0 is no time"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};
    use std::time::Duration;

    #[test]
    fn defaults_and_values() {
        let config = fleet(&env(&[])).unwrap();
        assert_eq!((config.topology.lanes(), config.protocol), (&["default".to_owned()][..], Protocol::default()));
        let config = fleet(&env(&[("DOCKET_LANES", "fast, slow"), ("DOCKET_GRACE", "1m")])).unwrap();
        assert_eq!((config.topology.lanes().len(), config.protocol.grace), (2, Duration::from_mins(1)));
    }

    #[test]
    fn nonsense_is_refused_with_the_rule() {
        let bad = [
            ("DOCKET_LANES", "a b"),
            ("DOCKET_LANES", ","),
            ("DOCKET_LEASE", "5s"),
            ("DOCKET_LEASE", "-1s"),
            ("DOCKET_PROFILE", "turbo"),
            ("DOCKET_POINTERS_MAX", "0"),
            ("DOCKET_STATEMENT", "0s"),
            ("DOCKET_SWEEP", "0s"),
            ("DOCKET_SUSPECT_LOSSES", "1"),
            ("DOCKET_LOSSES_MAX", "2"),
            ("DOCKET_BATCH", "many"),
        ];
        for (name, value) in bad {
            let error = fleet(&env(&[(name, value)])).expect_err(value);
            assert_eq!(error.name, name);
        }
    }
}
