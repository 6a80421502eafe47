//! The fleet: lanes, times, the broker's topology, how long ended jobs stay.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    protocol, rules,
    setting::{ALL, BOTH, SCHEDULER, settings},
};
use crate::fleet::{
    broker::{
        Topology,
        version::{BrokerVersion, NoVersion},
    },
    ports::Retention,
    settings::Protocol,
};
use std::time::Duration;

/// The fleet's part of the configuration.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    /// Lanes and the names that follow from them.
    pub topology: Topology,
    /// Times and bounds of the protocol.
    pub protocol: Protocol,
    /// How long ended jobs are kept.
    pub retention: Retention,
    /// What the broker's own `consumer_timeout` is.
    pub consumer_timeout: Duration,
}

const SECOND: Duration = Duration::from_secs(1);
/// Ten years of 365 days.
const FOR_EVER: Duration = Duration::from_hours(87_600);

settings! {
    /// Lanes that the topology has and that schedulers dispatch, separated by commas. Each brings three queues.
    "fleet.lanes" "DOCKET_LANES" = "default", Kind::List, ALL;
    /// `short` makes all times of the protocol five times shorter, for tests and benches; deadlines of a statement and of
    /// an attempt stay.
    "fleet.profile" "DOCKET_PROFILE" = "production", Kind::OneOf(&["production", "short"]), ALL;
    /// The version that the topology is written for: from 4 on docket.dead needs its delivery limit switched off.
    "broker.version" "DOCKET_BROKER_VERSION" = "3.13", Kind::Version, ALL;
    /// Most ready messages of a lane's queue; it refuses more, and the scheduler tries again. Higher: more of the
    /// broker's disk. Lower than `fleet.window_max`: refusals are normal.
    "broker.max_length" "DOCKET_BROKER_MAX_LENGTH" = "50000", Kind::Count(1, 10_000_000), ALL;
    /// A message that was delivered so often and never acknowledged goes to docket.dead; the ledger finds its job again.
    /// Higher: a message that nobody can take goes round longer. Lower: workers that restart often lose good messages.
    "broker.delivery_limit" "DOCKET_BROKER_DELIVERY_LIMIT" = "50", Kind::Count(1, 100_000), ALL;
    /// What the broker's own `consumer_timeout` is: after so long without an acknowledgement it closes the channel. It is
    /// only compared with; the broker's configuration is what sets it.
    "broker.consumer_timeout" "DOCKET_CONSUMER_TIMEOUT" = "30m", Kind::Duration(SECOND, FOR_EVER), ALL;
    /// How long completed jobs are kept. Longer: a larger table. Shorter: less to look back at. Zero: a completion deletes
    /// its job, which leaves no trace but its effects; its idempotency key is free again, and the workers' account
    /// needs the right to delete, which infra/postgres/roles.sql doesn't give.
    "retention.completed" "DOCKET_RETENTION_COMPLETED" = "720h", Kind::Duration(Duration::ZERO, FOR_EVER), BOTH;
    /// How long failed and cancelled jobs are kept; dead letters stay. Longer: a larger table. Shorter: less to look back
    /// at.
    "retention.failed" "DOCKET_RETENTION_FAILED" = "2160h", Kind::Duration(SECOND, FOR_EVER), SCHEDULER;
}

/// Reads the fleet's settings.
///
/// # Errors
/// When a value can't be used, or two of them contradict each other.
pub fn fleet(env: &Environment) -> Result<FleetConfig, ConfigError> {
    let config = read(env)?;
    rules::fleet(&config).into_iter().next().map_or(Ok(config), Err)
}

/// The same, whether or not the values go together.
pub(super) fn read(env: &Environment) -> Result<FleetConfig, ConfigError> {
    let mut protocol = match env.get("DOCKET_PROFILE") {
        None | Some("production") => Protocol::default(),
        Some("short") => Protocol::five_times_shorter(),
        Some(_) => return Err(ConfigError::new("DOCKET_PROFILE", "one of production, short")),
    };
    for setting in protocol::SETTINGS.iter().chain(SETTINGS) {
        env.check(setting)?;
    }
    protocol::read(env, &mut protocol)?;
    let keep = Retention::default();
    let retention = Retention {
        completed: env.duration("DOCKET_RETENTION_COMPLETED", keep.completed)?,
        failed: env.duration("DOCKET_RETENTION_FAILED", keep.failed)?,
        kinds: keep.kinds,
    };
    let consumer_timeout = env.duration("DOCKET_CONSUMER_TIMEOUT", Duration::from_mins(30))?;
    Ok(FleetConfig { topology: topology(env)?, protocol, retention, consumer_timeout })
}

fn topology(env: &Environment) -> Result<Topology, ConfigError> {
    let lanes = env.get("DOCKET_LANES").unwrap_or("default").split(',').map(str::trim);
    let mut topology = Topology::new(lanes).map_err(|e| ConfigError::new("DOCKET_LANES", e.to_string()))?;
    topology.max_length = env.number("DOCKET_BROKER_MAX_LENGTH", topology.max_length)?;
    topology.delivery_limit = env.number("DOCKET_BROKER_DELIVERY_LIMIT", topology.delivery_limit)?;
    if let Some(version) = env.get("DOCKET_BROKER_VERSION") {
        let version: BrokerVersion =
            version.parse().map_err(|e: NoVersion| ConfigError::new("DOCKET_BROKER_VERSION", e.to_string()))?;
        topology.broker_major = version.major;
    }
    Ok(topology)
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn defaults_and_values() {
        let config = fleet(&env(&[])).unwrap();
        assert_eq!((config.topology.lanes(), config.protocol), (&["default".to_owned()][..], Protocol::default()));
        let config = fleet(&env(&[("DOCKET_LANES", "fast, slow"), ("DOCKET_GRACE", "1m")])).unwrap();
        assert_eq!((config.topology.lanes().len(), config.protocol.grace), (2, Duration::from_mins(1)));
    }

    #[test]
    fn the_broker_is_described() {
        let vars = [
            ("DOCKET_BROKER_VERSION", "4.2"),
            ("DOCKET_BROKER_MAX_LENGTH", "7"),
            ("DOCKET_BROKER_DELIVERY_LIMIT", "9"),
            ("DOCKET_CONSUMER_TIMEOUT", "1h"),
        ];
        let FleetConfig { topology, consumer_timeout, .. } = fleet(&env(&vars)).unwrap();
        assert_eq!((topology.broker_major, topology.max_length, topology.delivery_limit), (4, 7, 9));
        assert_eq!(consumer_timeout, Duration::from_hours(1));
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
            ("DOCKET_BATCH", "99999999999999999999"),
            ("DOCKET_BROKER_VERSION", "three"),
            ("DOCKET_RETENTION_FAILED", "99999999999999999h"),
            ("DOCKET_CONSUMER_TIMEOUT", "1800000"),
        ];
        for (name, value) in bad {
            let error = fleet(&env(&[(name, value)])).expect_err(value);
            assert_eq!(error.name, name);
        }
    }
}
