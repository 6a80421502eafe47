//! `docket metrics`

use super::process::docket;

#[tokio::test]
async fn the_document_is_what_the_code_prints() {
    let ended = docket("metrics reference").run().await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout == include_str!("../../../docs/METRICS.md"),
        "docs/METRICS.md is not what the code says: docket metrics reference > docs/METRICS.md"
    );
}

#[tokio::test]
async fn families_are_told_to_programs_and_people() {
    let ended = docket("metrics --json").run().await;
    let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let families = told["families"].as_array().unwrap();
    assert_eq!(families.len(), docket::telemetry::FAMILIES.len());
    assert!(families.iter().any(|f| f["name"] == "docket_queue_jobs" && f["labels"][1]["values"][0] == "pending"));
    assert!(docket("metrics").run().await.stdout.contains("docket_queue_jobs"));
}
