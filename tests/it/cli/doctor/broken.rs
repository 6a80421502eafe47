//! Broken on purpose, one way each: the doctor names it, with its fix.

use super::support::{Report, SetUp, doctor, topology};
use crate::{
    broker::support::LONG,
    support::{TestDb, services, unique},
};
use docket::{
    dev::{Services, ServicesSpec},
    fleet::broker::BrokerUser,
};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::{net::TcpListener, time::timeout};
use url::Url;

/// What PostgreSQL alone can have.
async fn with_database(url: &str) -> Report {
    doctor("--role scheduler,worker", &[("DATABASE_URL", url)]).await
}

#[tokio::test]
async fn a_schema_that_is_behind() {
    let db = TestDb::migrated().await;
    let newest = docket::db::newest();
    let forget = format!("delete from refinery_schema_history where version = {newest}");
    db.connect().await.batch_execute(&forget).await.unwrap();
    let seen = format!("version {}, this binary needs {newest}", newest - 1);
    with_database(db.url()).await.names("schema", "fault", &[&seen, "docket migrate up"]);
}

#[tokio::test]
async fn tables_in_another_schema_than_the_search_path_names() {
    let (db, other) = (TestDb::migrated().await, TestDb::new().await);
    let report = with_database(other.url()).await;
    report.names("schema", "fault", &["no schema of Docket", db.schema()]);
}

#[tokio::test]
async fn a_database_account_without_rights() {
    let db = TestDb::migrated().await;
    let (schema, role) = (db.schema(), unique("role"));
    let owner = db.connect().await;
    let create = format!("create role {role} login password 'hunter2'; grant usage on schema {schema} to {role}");
    owner.batch_execute(&create).await.unwrap();
    let mut url = Url::parse(db.url()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let report = with_database(url.as_str()).await;
    report.names(
        "database-rights",
        "fault",
        &["INSERT on jobs", "grant insert on jobs to", "USAGE on job_message_seq"],
    );

    // What the fix says is enough.
    let fix = report.at_least("fault").into_iter().find(|f| f["check"] == "database-rights").unwrap()["fix"].clone();
    let (_, grants) = fix.as_str().unwrap().split_once("alone: ").unwrap();
    owner.batch_execute(&format!("set search_path = {schema}; {grants}")).await.unwrap();
    let report = with_database(url.as_str()).await;
    report.only(&["broker"]);
    owner.batch_execute(&format!("revoke usage on schema {schema} from {role}")).await.unwrap();
    with_database(url.as_str()).await.names("database-rights", "fault", &["may not use schema", schema]);
    owner.batch_execute(&format!("drop owned by {role}; drop role {role}")).await.unwrap();
}

#[tokio::test]
async fn a_database_that_refuses_or_is_away() {
    let mut url = Url::parse(&services().await.database_url).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let report = doctor("--role server", &[("DATABASE_URL", url.as_str()), ("AMQP_URL", "amqp://u@127.0.0.1:1")]).await;
    report.names("database", "fault", &["refuses", "password", "DATABASE_URL"]);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let report = with_database(&format!("postgres://u:hunter2@{free}/d")).await;
    report.names("database", "fault", &[&free.to_string()]);
    assert_eq!(report.code, 69);
}

/// The schema has a clock of its own, one hour ahead, and comes before PostgreSQL's.
#[tokio::test]
async fn clocks_that_differ() {
    let db = TestDb::migrated().await;
    let clock = "create function clock_timestamp() returns timestamptz language sql as
        'select pg_catalog.clock_timestamp() + interval ''1 hour'''";
    db.connect().await.batch_execute(clock).await.unwrap();
    let report = with_database(&format!("{},pg_catalog", db.url())).await;
    report.names("clock", "warning", &["3600", "ahead of", "NTP"]);
}

#[tokio::test]
async fn a_queue_of_the_wrong_type() {
    let mut wrong = topology();
    wrong["queues"][1]["arguments"] = json!({"x-queue-type": "classic"});
    let set_up = SetUp::with(&wrong).await;
    let report = set_up.doctor("", &[]).await;
    report.names("topology", "fault", &["docket.default.high", "delete"]);
    report.only(&["topology"]);
    // Without the management API an account that may configure still sees it.
    let report = set_up.doctor("", &[("DOCKET_MANAGEMENT_URL", "")]).await;
    report.names("topology", "fault", &["docket.default.high"]);
}

#[tokio::test]
async fn a_queue_that_is_missing() {
    let mut wrong = topology();
    let gone = wrong["queues"].as_array_mut().unwrap().pop().unwrap();
    wrong["bindings"].as_array_mut().unwrap().retain(|binding| binding["destination"] != gone["name"]);
    let report = SetUp::with(&wrong).await.doctor("", &[]).await;
    report.names("topology", "fault", &["docket.default.low", "topology apply"]);
}

#[tokio::test]
async fn a_dead_letter_policy_that_is_missing() {
    let mut wrong = topology();
    wrong["policies"].as_array_mut().unwrap().retain(|policy| policy["name"] != "docket-lanes");
    let report = SetUp::with(&wrong).await.doctor("", &[]).await;
    report.names("policies", "fault", &["docket-lanes", "topology apply"]);
    report.only(&["policies"]);
}

#[tokio::test]
async fn a_binding_that_is_missing() {
    let mut wrong = topology();
    wrong["bindings"].as_array_mut().unwrap().retain(|binding| binding["destination"] != "docket.default.normal");
    let report = SetUp::with(&wrong).await.doctor("", &[]).await;
    report.names("bindings", "fault", &["docket.default.normal", "topology apply"]);
}

#[tokio::test]
async fn a_worker_that_may_not_write_dead_letters() {
    let set_up = SetUp::new().await;
    let good = BrokerUser::worker("w", "hunter2".into());
    let (_, url) = set_up.account(good.clone()).await;
    set_up.doctor("--role worker", &[("AMQP_URL", &url)]).await.only(&[]);
    let (name, url) = set_up.account(BrokerUser { write: "^$".to_owned(), ..good }).await;
    let report = set_up.doctor("--role worker", &[("AMQP_URL", &url)]).await;
    report.names("broker-rights", "fault", &[&name, "write", "docket.dead", "set_permissions"]);
    report.only(&["broker-rights"]);
}

/// On a node of its own: the alarm holds back everyone on it.
#[tokio::test]
async fn a_memory_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let spec = ServicesSpec {
        dir: dir.path().to_owned(),
        keep: false,
        postgres: false,
        rabbitmq: Some(topology()),
        durable: false,
    };
    let node = Services::start(spec).await.unwrap();
    node.wait_broker().await.unwrap();
    node.rabbitmq().unwrap().ctl(&["set_vm_memory_high_watermark", "0"]).await.unwrap();
    let db = TestDb::migrated().await;
    let (amqp, management) = (node.amqp_url().unwrap(), node.management_url().unwrap());
    let vars = [("DATABASE_URL", db.url()), ("AMQP_URL", amqp), ("DOCKET_MANAGEMENT_URL", management)];
    // A node's statistics are some seconds old.
    let seen = async {
        loop {
            let report = doctor("--role worker", &vars).await;
            if report.at_least("warning").iter().any(|finding| finding["check"] == "alarms") {
                return report;
            }
        }
    };
    let report = timeout(LONG, seen).await.expect("the alarm is seen");
    report.names("alarms", "fault", &["memory"]);
    assert_eq!(report.code, 69);
    node.stop().await;
}

#[tokio::test]
async fn a_lease_shorter_than_three_heartbeats() {
    let report = doctor("--role worker", &[("DOCKET_LEASE", "5s")]).await;
    report.names("lease", "fault", &["DOCKET_LEASE", "three heartbeats"]);
}

#[tokio::test]
async fn poppler_that_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    doctor("--role worker", &[("PATH", path)]).await.names("poppler", "fault", &["pdfinfo", "poppler-utils"]);
    let scheduler = doctor("--role scheduler", &[("PATH", path)]).await;
    assert!(scheduler.at_least("note").iter().all(|finding| finding["check"] != "poppler"), "it reads no documents");
}

#[tokio::test]
async fn tesseract_that_is_missing_where_images_are_to_be_read() {
    let empty = tempfile::tempdir().unwrap();
    let vars = [("PATH", empty.path().to_str().unwrap()), ("DOCKET_OCR", "on")];
    doctor("--role worker", &vars).await.names("ocr", "warning", &["tesseract", "DOCKET_OCR=off"]);
    let off = doctor("--role worker", &vars[..1]).await;
    assert!(off.at_least("note").iter().all(|finding| finding["check"] != "ocr"), "nobody asked for it");
}

#[tokio::test]
async fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = taken.local_addr().unwrap().to_string();
    let report = doctor("--role server", &[("DOCKET_HTTP", &place)]).await;
    report.names("address", "fault", &[&place, "DOCKET_HTTP"]);
}

#[tokio::test]
async fn a_file_limit_that_is_too_low() {
    let line = format!("ulimit -n 200; exec {} doctor --json --role worker", env!("CARGO_BIN_EXE_docket"));
    let child = tokio::process::Command::new("sh")
        .args(["-c", &line])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env_remove("DATABASE_URL")
        .env_remove("AMQP_URL")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_mins(2), child).await.expect("ends").unwrap();
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = Report::read(output.status.code().unwrap(), &line);
    report.names("file-limit", "fault", &["200 may be open", "LimitNOFILE"]);
}

/// RabbitMQ tells nobody its own setting; a queue's argument is told, and so is a policy from 3.12 on.
#[tokio::test]
async fn a_consumer_timeout_below_the_one_that_is_counted_on() {
    let mut wrong = topology();
    wrong["queues"][1]["arguments"]["x-consumer-timeout"] = json!(60_000);
    let report = SetUp::with(&wrong).await.doctor("", &[]).await;
    report.names("consumer-timeout", "fault", &["docket.default.high", "60s"]);
}

#[tokio::test]
async fn a_management_api_that_refuses() {
    let set_up = SetUp::new().await;
    let mut url = Url::parse(&services().await.management_url).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let report = set_up.doctor("", &[("DOCKET_MANAGEMENT_URL", url.as_str())]).await;
    report.names("management", "fault", &["refuses", "DOCKET_MANAGEMENT_URL"]);
    report.only(&["management"]);
    assert_eq!(report.code, 64);
}

#[tokio::test]
async fn a_broker_that_refuses_or_is_away() {
    let set_up = SetUp::new().await;
    let mut url = Url::parse(set_up.vhost.url()).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let report = set_up.doctor("", &[("AMQP_URL", url.as_str())]).await;
    report.names("broker", "fault", &["refuses the user", "AMQP_URL"]);
    assert_eq!(report.code, 64);
    let report = set_up.doctor("", &[("AMQP_URL", "amqp://u:hunter2@127.0.0.1:1")]).await;
    report.names("broker", "fault", &["127.0.0.1:1"]);
    assert_eq!(report.code, 69);
}

#[tokio::test]
async fn the_fleet_itself_at_the_address_is_worth_a_note_only() {
    let set_up = SetUp::new().await;
    let taken = crate::support::metrics();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let routes = docket::http::Routes { metrics: taken, health: docket::http::Health::new(), api: None };
    let running = docket::http::serve(docket::http::HttpSettings::default(), routes, shutdown).await.unwrap();
    let report = set_up.doctor("", &[("DOCKET_HTTP", &running.addr().to_string())]).await;
    let notes = report.at_least("note");
    assert!(notes.iter().any(|note| note["check"] == "address" && note["level"] == "note"), "{notes:#?}");
}
