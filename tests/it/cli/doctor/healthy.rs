//! What is well, and what can't be told.

use super::{
    super::process::docket,
    support::{SetUp, doctor},
};

#[tokio::test]
async fn a_healthy_set_up_has_no_fault_and_every_check_is_looked_at() {
    let healthy = SetUp::new().await;
    let report = healthy.doctor("", &[]).await;
    let faults = report.at_least("fault");
    assert!(faults.is_empty(), "{faults:#?}");
    // The tests' PostgreSQL is faster than safe, and shared with others.
    for warning in report.at_least("warning") {
        assert!(["durability", "database-connections"].contains(&warning["check"].as_str().unwrap()), "{warning}");
    }
    let checks = report.checks();
    let headings = include_str!("../../../../docs/DOCTOR.md").lines().filter_map(|line| line.strip_prefix("### "));
    for check in headings {
        assert!(checks.contains(&check), "{check} was not looked at: {checks:?}");
    }
}

#[tokio::test]
async fn people_read_what_to_do_below_what_was_seen() {
    let ended =
        docket("doctor --role scheduler,worker").env("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/d").run().await;
    assert_eq!(ended.code, 69, "{ended:?}");
    assert!(!format!("{ended:?}").contains("hunter2"), "{ended:?}");
    for words in ["fault    database ", "127.0.0.1:1", "docs/DOCTOR.md#database", "fault    broker ", "AMQP_URL"] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    assert!(ended.stderr.contains("database") && ended.stderr.contains("broker"), "{ended:?}");
}

#[tokio::test]
async fn a_bad_configuration_is_a_finding_and_keeps_nothing_else_from_being_looked_at() {
    let healthy = SetUp::new().await;
    let bad =
        [("DOCKET_LANES", "a b"), ("DOCKET_HTTP", "nowhere"), ("DOCKET_SUMMARISER", "magic"), ("AMQP_URL", "nonsense")];
    let report = healthy.doctor("", &bad).await;
    for (name, _) in &bad[..3] {
        report.names("configuration", "fault", &[name]);
    }
    report.names("broker", "fault", &["AMQP URL"]);
    report.only(&["configuration", "broker"]);
    assert!(report.checks().contains(&"schema") && report.checks().contains(&"poppler"));
    assert_eq!(report.code, 64);
}

#[tokio::test]
async fn services_that_never_answer_end_in_a_report() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = silent.local_addr().unwrap();
    let urls = [
        ("DATABASE_URL", format!("postgres://u:hunter2@{place}/d")),
        ("AMQP_URL", format!("amqp://u:hunter2@{place}")),
        ("DOCKET_MANAGEMENT_URL", format!("http://u:hunter2@{place}")),
        ("DOCKET_HTTP", place.to_string()),
    ];
    let report = doctor("", &urls.each_ref().map(|(name, url)| (*name, url.as_str()))).await;
    for check in ["database", "broker", "management"] {
        report.names(check, "fault", &[]);
    }
    report.names("address", "fault", &["can't be listened on"]);
    assert_eq!(report.code, 69);
}

#[tokio::test]
async fn a_bad_file_is_a_finding_and_its_good_settings_are_used() {
    let (set_up, dir) = (SetUp::new().await, tempfile::tempdir().unwrap());
    let file = dir.path().join("docket.toml");
    std::fs::write(&file, "[fleet]\nlease = \"5s\"\nlanse = \"a\"\nlanes = [\"default\", \"slow\"]\n").unwrap();
    let report = set_up.doctor("", &[("DOCKET_CONFIG", file.to_str().unwrap())]).await;
    report.names("configuration", "fault", &["lanse", "docket.toml"]);
    report.names("lease", "fault", &["three heartbeats"]);
    report.only(&["configuration", "lease"]);
    assert_eq!(report.code, 64);
}
