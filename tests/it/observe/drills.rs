//! The drills, as an operator runs them: alerts take their real way to a webhook, and the fleet comes back.

use crate::cli::process::docket_args;
use docket::dev::drill::Drill;
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// Starting servers takes ten seconds, most drills a minute, the slowest three.
const PATIENCE: Duration = Duration::from_mins(8);

async fn passes(drill: Drill) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("d").display().to_string();
    let ended = docket_args(&["drill", drill.as_str(), "--json", "--dir", &place]).patience(PATIENCE).run().await;
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&report["drill"], &report["open_jobs"]), (&drill.as_str().into(), &0.into()));
    assert_eq!(report["unaccounted_jobs"], 0);
    let alerts =
        report["alerts"].as_array().expect("Prometheus and Alertmanager are installed: scripts/test does that");
    let alerts: BTreeSet<&str> = alerts.iter().map(|alert| alert["name"].as_str().unwrap()).collect();
    for expected in drill.alerts().iter().chain(&["DocketWatchdog"]) {
        assert!(alerts.contains(expected), "{expected} did not arrive: {alerts:?}");
    }
    if drill == Drill::Flood {
        assert_eq!(alerts.len(), 1, "20,000 jobs at once woke somebody: {alerts:?}");
    }
    assert!(report["recovery_seconds"].as_f64().unwrap() < 300.0);
    assert!(report["steps"].as_array().unwrap().len() >= 2);
}

macro_rules! drills {
    ($($test:ident $drill:ident)*) => {$(
        #[tokio::test]
        #[ignore = "takes minutes: scripts/test --all"]
        async fn $test() {
            passes(Drill::$drill).await;
        }
    )*

        #[test]
        fn every_drill_is_tried() {
            assert_eq!(Drill::ALL, [$(Drill::$drill),*]);
        }
    };
}

drills! {
    worker_kill WorkerKill
    broker_restart BrokerRestart
    broker_wipe BrokerWipe
    slow_db SlowDb
    poison Poison
    slow_jobs SlowJobs
    vendor_down VendorDown
    llm_429 Llm429
    flood Flood
}
