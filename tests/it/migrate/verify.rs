//! Rules that are tried, and drift that is found.

use crate::{
    cli::process::docket,
    support::{TestDb, unique},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

async fn verified(db: &TestDb, code: i32) -> Value {
    let ended = docket("migrate verify --json").database(db.url()).run().await;
    assert_eq!(ended.code, code, "{ended:?}");
    ended.json_line()
}

#[tokio::test]
async fn a_fresh_schema_holds_every_rule() {
    let db = TestDb::migrated().await;
    let found = verified(&db, 0).await;
    assert_eq!(found["drift"], serde_json::json!([]), "{found}");
    let trials = found["trials"].as_array().unwrap();
    let answer = |what: &str| trials.iter().find(|t| t["what"] == what).unwrap_or_else(|| panic!("{what}: {found}"));
    assert_eq!(answer("completed to pending")["by"], "job_guard");
    assert_eq!(answer("processing to dead_letter")["outcome"], "allowed");
    assert_eq!(answer("dead_letter without a time of failure")["by"], "jobs_shape");
    assert_eq!(answer("jobs.kind null")["by"], "jobs.kind not null");
    let (rows, jobs) = ("select count(*) from jobs", db.connect().await);
    assert_eq!(jobs.query_one(rows, &[]).await.unwrap().get::<_, i64>(0), 0, "it left a job behind");
    let schemas = "select count(*) from pg_namespace where nspname like 'docket_verify%'";
    assert_eq!(jobs.query_one(schemas, &[]).await.unwrap().get::<_, i64>(0), 0, "it left a schema behind");
}

/// Every column of the engine's tables that may not be null is tried.
#[tokio::test]
async fn no_null_is_forgotten() {
    let db = TestDb::migrated().await;
    let sql = "select c.relname || '.' || a.attname || ' null', c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid \
               where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attnotnull and a.attnum > 0 \
               and a.attidentity = ''";
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in db.connect().await.query(sql, &[]).await.unwrap() {
        columns.entry(row.get(1)).or_default().insert(row.get(0));
    }
    let trials = docket::fleet::ledger::trials();
    let tried: BTreeSet<String> = trials.into_iter().map(|t| t.what).filter(|what| what.ends_with(" null")).collect();
    let engine = ["jobs", "job_messages", "job_attempts", "job_events", "workers", "broker_state", "quarantine"];
    for table in engine.into_iter().chain(["paused_kinds", "paused_lanes", "audit_verdict"]) {
        let prefix = format!("{table}.");
        let of_table: BTreeSet<String> = tried.iter().filter(|what| what.starts_with(&prefix)).cloned().collect();
        assert_eq!(of_table, columns[table], "{table}");
    }
}

#[tokio::test]
async fn drift_is_listed_object_by_object() {
    let db = TestDb::migrated().await;
    let (client, reader) = (db.connect().await, unique("reader"));
    let drift = format!(
        "drop index jobs_due; create index jobs_slow on jobs (worker_id); alter table jobs add column colour text;
         alter table jobs drop constraint jobs_limits; alter table jobs alter column max_attempts set default 4;
         alter table jobs disable trigger job_guard; alter table job_messages reset (fillfactor);
         create or replace function append_only() returns trigger language plpgsql as $$ begin return null; end $$;
         alter table workers alter column name drop not null; drop view job_history;
         grant select on jobs to public; create role {reader}; grant select on jobs to {reader}"
    );
    client.batch_execute(&drift).await.unwrap();
    let found = verified(&db, 70).await;
    let named: BTreeSet<String> = found["drift"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            format!("{} {} {}", d["kind"].as_str().unwrap(), d["object"].as_str().unwrap(), d["name"].as_str().unwrap())
        })
        .collect();
    let expected = [
        "missing index jobs.jobs_due".to_owned(),
        "extra index jobs.jobs_slow".to_owned(),
        "extra column jobs.colour".to_owned(),
        "missing constraint jobs.jobs_limits".to_owned(),
        "changed column jobs.max_attempts".to_owned(),
        "changed trigger jobs.job_guard".to_owned(),
        "changed table job_messages".to_owned(),
        "changed function append_only()".to_owned(),
        "changed column workers.name".to_owned(),
        "missing view job_history".to_owned(),
        "extra grant jobs: select to public".to_owned(),
        format!("foreign grant jobs: select to {reader}"),
    ];
    assert_eq!(named, expected.into_iter().collect());
    let faults: Vec<&Value> = found["trials"].as_array().unwrap().iter().filter(|t| t["ok"] == false).collect();
    let failed = |what: &str| faults.iter().any(|t| t["what"] == what);
    for what in ["completed to pending", "a priority above 1000", "workers.name null", "a revision that is changed"] {
        assert!(failed(what), "{what}: {faults:?}");
    }
    let told = docket("migrate verify").database(db.url()).run().await;
    assert_eq!(told.code, 70, "{told:?}");
    for word in ["FAULT  completed to pending: allowed", "EXTRA  index jobs.jobs_slow", "fillfactor=50"] {
        assert!(told.stdout.contains(word), "{word}: {told:?}");
    }
    client.batch_execute(&format!("drop owned by {reader}; drop role {reader}")).await.unwrap();
}
