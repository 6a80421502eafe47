//! The two servers.

use super::files::{MonitoringSpec, Places};
use crate::dev::{Services, binaries, ports::Claim, service::Service};
use anyhow::{Result, bail};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// Both are ready within a second on a calm machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at whether they are.
const LOOK: Duration = Duration::from_millis(50);
/// Deadline of a look.
const ANSWER: Duration = Duration::from_secs(5);

/// Prometheus and Alertmanager that run. They end with the services whose watch they are under.
pub struct Monitoring {
    dir: PathBuf,
    places: Places,
    prometheus: Service,
    alertmanager: Service,
    _ports: Claim<2>,
}

impl Monitoring {
    /// Starts both beside these services; none: the machine lacks one of them. Their files go below the services' data.
    ///
    /// # Errors
    /// The files can't be written, or a server can't be started.
    pub fn start(services: &Services, spec: &MonitoringSpec) -> Result<Option<Self>> {
        let Some(binaries) = binaries::monitoring() else { return Ok(None) };
        let dir = services.data_dir().join("monitoring");
        let ports = Claim::new()?;
        let [prometheus, alertmanager] = ports.ports;
        let places = Places { prometheus, alertmanager, rabbitmq: services.prometheus_port() };
        spec.write(&dir, places)?;
        let service = |name: &str| {
            Service::new(name, dir.join(format!("{name}.log")), Signal::SIGTERM, Arc::clone(&services.watch()))
        };
        let (prometheus, alertmanager) = (service("prometheus"), service("alertmanager"));
        let mut args = vec![
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=prometheus-data".to_owned(),
            "--storage.tsdb.retention.time=1d".to_owned(),
            "--log.level=warn".to_owned(),
            format!("--web.listen-address=127.0.0.1:{}", places.prometheus),
        ];
        if spec.hasty {
            // What Alertmanager was not there for yet is sent again.
            args.push("--rules.alert.resend-delay=1s".to_owned());
        }
        prometheus.spawn(command(&binaries.prometheus, &dir, &args))?;
        let args = [
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=alertmanager-data".to_owned(),
            "--log.level=warn".to_owned(),
            // Alone: no peers, no port for them.
            "--cluster.listen-address=".to_owned(),
            format!("--web.listen-address=127.0.0.1:{}", places.alertmanager),
        ];
        alertmanager.spawn(command(&binaries.alertmanager, &dir, &args))?;
        let monitoring = Self { dir, places, prometheus, alertmanager, _ports: ports };
        let urls =
            [("PROMETHEUS_URL", monitoring.prometheus_url()), ("ALERTMANAGER_URL", monitoring.alertmanager_url())];
        services.write_env(&urls)?;
        Ok(Some(monitoring))
    }

    /// Where the fleet's processes announce themselves: their `DOCKET_TARGETS_DIR`.
    #[must_use]
    pub fn targets_dir(&self) -> PathBuf {
        self.dir.join("targets")
    }

    /// Prometheus.
    #[must_use]
    pub fn prometheus_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.places.prometheus)
    }

    /// Alertmanager.
    #[must_use]
    pub fn alertmanager_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.places.alertmanager)
    }

    /// Waits until both answer.
    ///
    /// # Errors
    /// One of them has ended or takes too long; the error quotes its log.
    pub async fn ready(&self) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build()?;
        let both = [(&self.prometheus, self.prometheus_url()), (&self.alertmanager, self.alertmanager_url())];
        for (service, url) in both {
            let answers = async {
                loop {
                    service.check()?;
                    let answer = client.get(format!("{url}/-/ready")).send().await;
                    if answer.is_ok_and(|answer| answer.status().is_success()) {
                        return anyhow::Ok(());
                    }
                    sleep(LOOK).await;
                }
            };
            match timeout(START_LIMIT, answers).await {
                Ok(result) => result?,
                Err(_) => bail!("{} isn't ready; its log ends with:\n{}", service.name, service.log_end()),
            }
        }
        Ok(())
    }

    /// Names of the alerts that fire now, as Prometheus has them.
    ///
    /// # Errors
    /// It doesn't answer.
    pub async fn firing(&self) -> Result<Vec<String>> {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build()?;
        let answer = client.get(format!("{}/api/v1/alerts", self.prometheus_url())).send().await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        let alerts = answer["data"]["alerts"].as_array().into_iter().flatten();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        Ok(firing.filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect())
    }

    /// Ends both.
    pub async fn stop(self) {
        self.alertmanager.stop().await;
        self.prometheus.stop().await;
    }
}

fn command(program: &Path, dir: &Path, args: &[String]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(dir).args(args);
    command
}
