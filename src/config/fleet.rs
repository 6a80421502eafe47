//! The fleet.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DOCKET_LANES` | lanes that a scheduler dispatches and a topology has, separated by commas | `default` |
//! | `DOCKET_PROFILE` | `production`, or `short`: all times of the protocol five times shorter, for tests | `production` |
//! | `DOCKET_HEARTBEAT`, `DOCKET_LEASE` | a worker's proof of life, and how long it may be missing | `3s`, `15s` |
//! | `DOCKET_GRACE` | how long running jobs may go on at a shutdown | `25s` |
//! | `DOCKET_STATEMENT` | deadline of one database statement | `10s` |
//! | `DOCKET_POINTERS_MAX` | most jobs in one message | `1` |
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
    protocol.heartbeat = env.duration("DOCKET_HEARTBEAT", protocol.heartbeat)?;
    protocol.lease = env.duration("DOCKET_LEASE", protocol.lease)?;
    protocol.grace = env.duration("DOCKET_GRACE", protocol.grace)?;
    protocol.statement = env.duration("DOCKET_STATEMENT", protocol.statement)?;
    protocol.pointers_max = env.parse("DOCKET_POINTERS_MAX", protocol.pointers_max, "a number from 1 to 1000")?;
    check(&protocol)?;
    let keep = Retention::default();
    let retention = Retention {
        completed: env.duration("DOCKET_RETENTION_COMPLETED", keep.completed)?,
        failed: env.duration("DOCKET_RETENTION_FAILED", keep.failed)?,
        kinds: keep.kinds,
    };
    Ok(FleetConfig { topology, protocol, retention })
}

fn check(protocol: &Protocol) -> Result<(), ConfigError> {
    if protocol.heartbeat.is_zero() || protocol.lease < 3 * protocol.heartbeat {
        return Err(ConfigError::new("DOCKET_LEASE", "shorter than three heartbeats: a busy worker would look dead"));
    }
    if !(1..=1000).contains(&protocol.pointers_max) {
        return Err(ConfigError::new("DOCKET_POINTERS_MAX", "a number from 1 to 1000"));
    }
    if protocol.statement.is_zero() {
        return Err(ConfigError::new("DOCKET_STATEMENT", "0 would mean no deadline at all"));
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
        ];
        for (name, value) in bad {
            let error = fleet(&env(&[(name, value)])).expect_err(value);
            assert_eq!(error.name, name);
        }
    }
}
