//! A whole set-up, and what the doctor says of it.

use super::super::process::docket;
use crate::support::{TestDb, TestVhost, services, unique};
use docket::fleet::broker::{BrokerUser, Topology, definitions};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

/// A migrated schema, and a virtual host with the topology of lane `default`.
pub(super) struct SetUp {
    pub(super) db: TestDb,
    pub(super) vhost: TestVhost,
}

/// What it found, by its own JSON.
pub(super) struct Report {
    pub(super) code: i32,
    findings: Vec<Value>,
}

pub(super) fn topology() -> Value {
    definitions(&Topology::new(["default"]).unwrap(), "/", &[])
}

impl SetUp {
    pub(super) async fn new() -> Self {
        Self::with(&topology()).await
    }

    pub(super) async fn with(definitions: &Value) -> Self {
        Self { db: TestDb::migrated().await, vhost: TestVhost::new(definitions).await }
    }

    /// Runs `docket doctor` here; what is in `vars` is set last.
    pub(super) async fn doctor(&self, args: &str, vars: &[(&str, &str)]) -> Report {
        let own = [
            ("DATABASE_URL", self.db.url()),
            ("AMQP_URL", self.vhost.url()),
            ("DOCKET_MANAGEMENT_URL", services().await.management_url.as_str()),
            ("DOCKET_HTTP", "127.0.0.1:0"),
        ];
        doctor(args, &[&own[..], vars].concat()).await
    }

    /// A new account with these rights in the virtual host: its name, and the broker's URL with it.
    pub(super) async fn account(&self, user: BrokerUser) -> (String, String) {
        let name = unique("account");
        let account = json!({"password": user.password.expose_secret(), "tags": ""});
        self.vhost.call(Method::PUT, &format!("users/{name}"), &account).await;
        let rights = json!({"configure": user.configure, "write": user.write, "read": user.read});
        self.vhost.call(Method::PUT, &format!("permissions/{}/{name}", self.vhost.name()), &rights).await;
        let mut url = Url::parse(self.vhost.url()).unwrap();
        url.set_username(&name).unwrap();
        url.set_password(Some(user.password.expose_secret())).unwrap();
        (name, url.into())
    }
}

/// Runs it with these variables. It must print one line, and none of their passwords.
pub(super) async fn doctor(args: &str, vars: &[(&str, &str)]) -> Report {
    let mut command = docket(&format!("doctor --json {args}"));
    for (name, value) in vars {
        command = command.env(name, value);
    }
    let ended = command.run().await;
    for (_, value) in vars {
        if let Some(password) = Url::parse(value).ok().as_ref().and_then(Url::password) {
            assert!(!format!("{ended:?}").contains(password), "{ended:?}");
        }
    }
    Report::read(ended.code, &ended.json_line())
}

impl Report {
    pub(super) fn read(code: i32, line: &Value) -> Self {
        assert_eq!(line["exit_code"], code, "{line}");
        Self { code, findings: line["findings"].as_array().unwrap().clone() }
    }

    /// What was found at least as bad as this.
    pub(super) fn at_least(&self, level: &str) -> Vec<&Value> {
        let order = ["ok", "note", "warning", "fault"];
        let rank = |level: &str| order.iter().position(|known| *known == level).unwrap();
        self.findings.iter().filter(|finding| rank(finding["level"].as_str().unwrap()) >= rank(level)).collect()
    }

    /// The check that was broken is named at this level, says all of `words`, and brings its fix and its link.
    pub(super) fn names(&self, check: &str, level: &str, words: &[&str]) {
        let said = |finding: &&Value| {
            let text = finding.to_string();
            finding["check"] == check && finding["level"] == level && words.iter().all(|word| text.contains(word))
        };
        let finding = self.findings.iter().find(said);
        let finding = finding.unwrap_or_else(|| panic!("no {level} {check} {words:?} in {:#?}", self.findings));
        assert!(finding["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{finding}");
        assert_eq!(finding["link"], format!("docs/DOCTOR.md#{check}"));
        assert!([64, 69].contains(&self.code), "exit code {}", self.code);
    }

    /// Nothing else is a fault.
    pub(super) fn only(&self, checks: &[&str]) {
        let others: Vec<_> =
            self.at_least("fault").into_iter().filter(|f| !checks.contains(&f["check"].as_str().unwrap())).collect();
        assert!(others.is_empty(), "{others:#?}");
    }

    pub(super) fn checks(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding["check"].as_str().unwrap()).collect()
    }
}
