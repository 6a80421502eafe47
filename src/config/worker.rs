//! What a worker takes.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{WORKER, settings},
};

settings! {
    /// Jobs at once. Higher: more connections to vendors and more memory. Lower: the machine idles while jobs wait for
    /// others' answers.
    "worker.slots" "DOCKET_SLOTS" = "16", Kind::Count(1, 10_000), WORKER;
    /// Lanes that this worker serves, separated by commas, out of `fleet.lanes`; all of them when none is named.
    "worker.lanes" "DOCKET_WORKER_LANES", Kind::List, WORKER;
}

/// What a worker takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerConfig {
    /// Jobs at once.
    pub slots: u32,
    /// Lanes that it serves: some of the topology's.
    pub lanes: Vec<String>,
}

/// Reads the worker's settings; `known` are the lanes of the topology.
///
/// # Errors
/// When a value can't be used, or a lane is none of the topology's.
pub fn worker(env: &Environment, known: &[String]) -> Result<WorkerConfig, ConfigError> {
    SETTINGS.iter().try_for_each(|setting| env.check(setting))?;
    let slots = env.number("DOCKET_SLOTS", 16)?;
    let name = "DOCKET_WORKER_LANES";
    let lanes: Vec<String> = match env.get(name) {
        None => known.to_vec(),
        Some(lanes) => lanes.split(',').map(|lane| lane.trim().to_owned()).collect(),
    };
    match lanes.iter().find(|lane| !known.contains(lane)) {
        Some(unknown) => {
            Err(ConfigError::new(name, format!("unknown lane {unknown:?}: DOCKET_LANES has {}", known.join(", "))))
        }
        None => Ok(WorkerConfig { slots, lanes }),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn a_worker_serves_some_of_the_lanes() {
        let known = ["fast", "slow"].map(str::to_owned);
        let lanes = |vars: &[(&str, &str)]| worker(&env(vars), &known).map(|worker| worker.lanes);
        assert_eq!(lanes(&[]).unwrap(), known);
        assert_eq!(lanes(&[("DOCKET_WORKER_LANES", " slow ")]).unwrap(), ["slow"]);
        for bad in ["fats", "slow,", ","] {
            let error = lanes(&[("DOCKET_WORKER_LANES", bad)]).expect_err(bad).to_string();
            assert!(error.contains("fast, slow"), "{error}");
        }
        for bad in ["0", "-1", "10001", "many"] {
            assert_eq!(worker(&env(&[("DOCKET_SLOTS", bad)]), &known).expect_err(bad).name, "DOCKET_SLOTS");
        }
    }
}
