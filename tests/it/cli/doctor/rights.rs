//! The rights that the doctor asks for are enough: accounts that have nothing else run a fleet.

use super::{super::process::docket, support::SetUp};
use crate::support::{login, unique};
use nix::{sys::signal::Signal, unistd::Pid};
use std::{fs::File, path::Path, process::Stdio, time::Duration};
use tokio::process::{Child, Command};
use url::Url;

const LONG: Duration = Duration::from_mins(2);

/// A database account with the grants of the doctor's fix for a role: its URL.
async fn account(set_up: &SetUp, role: &str) -> String {
    let (db, name) = (&set_up.db, unique(role));
    let owner = db.connect().await;
    let create =
        format!("create role {name} login password 'hunter2'; grant usage on schema {} to {name}", db.schema());
    owner.batch_execute(&create).await.unwrap();
    let mut url = Url::parse(db.url()).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let report = set_up.doctor(&format!("--role {role}"), &[("DATABASE_URL", url.as_str())]).await;
    let lacking = report.at_least("fault").into_iter().find(|finding| finding["check"] == "database-rights").unwrap();
    let (_, grants) = lacking["fix"].as_str().unwrap().split_once("alone: ").unwrap();
    owner.batch_execute(grants).await.unwrap();
    set_up.doctor(&format!("--role {role}"), &[("DATABASE_URL", url.as_str())]).await.only(&[]);
    url.into()
}

fn start(role: &str, database: &str, amqp: &str, log: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_docket"))
        .args([role, "--http", "127.0.0.1:0"])
        .envs([("DATABASE_URL", database), ("AMQP_URL", amqp), ("DOCKET_PROFILE", "short"), ("DOCKET_LOG", "debug")])
        .stdin(Stdio::null())
        .stdout(File::create(log).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn accounts_with_the_doctors_grants_alone_run_a_fleet() {
    let set_up = SetUp::new().await;
    let dir = tempfile::tempdir().unwrap();
    let mut roles = Vec::new();
    for role in ["scheduler", "worker", "server"] {
        let (url, log) = (account(&set_up, role).await, dir.path().join(role));
        roles.push((role, start(role, &url, set_up.vhost.url(), &log), log));
    }
    // No such city: the job fails, which is written in more tables than a success.
    let enqueued = docket(r#"enqueue sync_city --args {"city":"nowhere"}"#).database(set_up.db.url()).json().await;
    let client = set_up.db.connect().await;
    let ended = async {
        let sql = "select count(*) from jobs where id = $1 and finished_at is not null";
        while client.query_one(sql, &[&enqueued["id"].as_i64().unwrap()]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LONG, ended).await.expect("the job ends");
    for (role, mut child, log) in roles {
        let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap());
        nix::sys::signal::kill(pid, Signal::SIGTERM).unwrap();
        assert!(tokio::time::timeout(LONG, child.wait()).await.expect("ends").unwrap().success(), "{role}");
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("listening") && !log.contains("permission denied"), "{role}: {log}");
    }
}

#[tokio::test]
async fn the_roles_of_the_sql_file_lack_nothing() {
    let set_up = SetUp::new().await;
    for role in ["scheduler", "worker", "server"] {
        let account = login(&set_up.db, &format!("docket_{role}")).await;
        let mut url = Url::parse(set_up.db.url()).unwrap();
        url.set_username(account.get_user().unwrap()).unwrap();
        url.set_password(Some(std::str::from_utf8(account.get_password().unwrap()).unwrap())).unwrap();
        let report = set_up.doctor(&format!("--role {role}"), &[("DATABASE_URL", url.as_str())]).await;
        report.only(&[]);
        assert!(report.at_least("note").iter().all(|finding| finding["check"] != "database-rights"), "{role}");
    }
}
