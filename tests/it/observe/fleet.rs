//! `docket demo` that stays, and the Prometheus beside it.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tokio_postgres::{Client, NoTls};

/// Far more than the half minute that it takes.
const PATIENCE: Duration = Duration::from_mins(5);

/// A demonstration whose work is done, and that goes on serving.
pub(super) struct Demo {
    place: TempDir,
    _child: Child,
    http: reqwest::Client,
    /// What it printed.
    pub(super) report: Value,
}

impl Demo {
    /// Runs it until its work is done.
    pub(super) async fn done(workers: u8, env: &[(&str, String)]) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DOCKET_")) {
            command.env_remove(name);
        }
        command
            .args(["demo", "--json", "--stay", "--workers", &workers.to_string(), "--dir"])
            .arg(place.path().join("d"))
            .envs(env.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("it comes to an end").unwrap().expect("a line");
        let report: Value = serde_json::from_str(&line).unwrap();
        assert!(report["jobs"]["completed"].as_u64().unwrap() > 50, "{report}");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        Self { place, _child: child, http, report }
    }

    fn dir(&self) -> PathBuf {
        self.place.path().join("d")
    }

    fn url(&self, name: &str) -> String {
        let env = fs::read_to_string(Path::new(&self.dir()).join("env")).unwrap();
        let found = env.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {name}; is it installed? scripts/test does that")).to_owned()
    }

    /// The ledger.
    pub(super) async fn database(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url("DATABASE_URL"), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// One page.
    pub(super) async fn get(&self, url: &str) -> String {
        self.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// Prometheus' answer to one of its API's paths.
    pub(super) async fn prometheus(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let url = format!("{}/api/v1/{path}", self.url("PROMETHEUS_URL"));
        let url = url::Url::parse_with_params(&url, query).unwrap();
        serde_json::from_str(&self.get(url.as_str()).await).unwrap()
    }

    /// Addresses of the fleet's processes, as Prometheus knows them from the files that they wrote, with their roles.
    pub(super) async fn targets(&self) -> Vec<(String, String)> {
        let answer = self.prometheus("targets", &[("state", "active")]).await;
        let targets = answer["data"]["activeTargets"].as_array().unwrap().clone();
        targets
            .iter()
            .filter(|target| target["labels"]["job"] == "docket")
            .map(|target| {
                let label = |name: &str| target["labels"][name].as_str().unwrap().to_owned();
                (label("role"), label("instance"))
            })
            .collect()
    }
}
