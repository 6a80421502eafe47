//! What the two servers read.

use anyhow::{Context, Result};
use serde_json::json;
use std::{fs, path::Path};

const PROMETHEUS: &str = include_str!("../../../infra/prometheus/prometheus.yml");
const ALERTMANAGER: &str = include_str!("../../../infra/alertmanager/alertmanager.yml");
const RULES: [(&str, &str); 5] = [
    ("queue.yml", include_str!("../../../infra/prometheus/rules/queue.yml")),
    ("fleet.yml", include_str!("../../../infra/prometheus/rules/fleet.yml")),
    ("broker.yml", include_str!("../../../infra/prometheus/rules/broker.yml")),
    ("civic.yml", include_str!("../../../infra/prometheus/rules/civic.yml")),
    ("objective.yml", include_str!("../../../infra/prometheus/rules/objective.yml")),
];

/// How the servers differ from production.
#[derive(Clone, Debug, Default)]
pub struct MonitoringSpec {
    /// A scrape and an evaluation a second, and what must hold, or have been so, for minutes does for seconds: for drills,
    /// which nobody wants to wait for. Rates and thresholds stay.
    pub hasty: bool,
    /// Rates and counts are over the last minute: what is over stops firing soon, for whoever waits until nothing does.
    pub brief: bool,
    /// Where every alert is sent to; none: to nobody, as the files in `infra` have it.
    pub webhook: Option<String>,
}

/// Where the servers listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) prometheus: u16,
    pub(super) alertmanager: u16,
    /// The broker's own metrics.
    pub(super) rabbitmq: Option<u16>,
}

impl MonitoringSpec {
    /// Writes configuration, rules and the targets that don't announce themselves.
    pub(super) fn write(&self, dir: &Path, places: Places) -> Result<()> {
        for part in ["rules", "targets", "prometheus-data", "alertmanager-data"] {
            fs::create_dir_all(dir.join(part)).with_context(|| format!("can't create {}", dir.display()))?;
        }
        fs::write(dir.join("prometheus.yml"), self.prometheus())?;
        fs::write(dir.join("alertmanager.yml"), self.alertmanager())?;
        for (name, text) in RULES {
            fs::write(dir.join("rules").join(name), self.rules(text))?;
        }
        let known = [
            ("prometheus.json", Some(places.prometheus)),
            ("alertmanager.json", Some(places.alertmanager)),
            ("rabbitmq.json", places.rabbitmq),
        ];
        for (name, port) in known {
            let targets: Vec<String> = port.iter().map(|port| format!("127.0.0.1:{port}")).collect();
            fs::write(dir.join("targets").join(name), json!([{ "targets": targets }]).to_string())?;
        }
        Ok(())
    }

    fn prometheus(&self) -> String {
        if !self.hasty {
            return PROMETHEUS.to_owned();
        }
        let quick = PROMETHEUS.replace("interval: 15s", "interval: 1s").replace("timeout: 10s", "timeout: 1s");
        quick.replace("refresh_interval: 30s", "refresh_interval: 1s")
    }

    fn rules(&self, text: &str) -> String {
        let text = if self.brief { brief(text) } else { text.to_owned() };
        if !self.hasty {
            return text;
        }
        let quick = |line: &str| match line.split_once("for: ") {
            Some((indent, _)) if indent.trim().is_empty() => format!("{indent}for: 1s\n"),
            // What must have been so for minutes.
            _ if line.contains("_over_time(") => format!("{}\n", shortened(line, &["[1m]", "[2m]", "[5m]"], "[3s]")),
            _ => format!("{line}\n"),
        };
        text.lines().map(quick).collect()
    }

    fn alertmanager(&self) -> String {
        let mut text = ALERTMANAGER.to_owned();
        if let Some(url) = &self.webhook {
            for name in ["page", "ticket", "watchdog"] {
                let receiver = format!("  - name: {name}\n");
                let sends = format!("{receiver}    webhook_configs:\n      - url: {url}\n");
                text = text.replace(&receiver, &sends);
            }
        }
        if self.hasty {
            text =
                text.replace("group_wait: 30s", "group_wait: 0s").replace("group_interval: 5m", "group_interval: 1s");
            text = text.replace("group_interval: 1m", "group_interval: 1s");
        }
        text
    }
}

/// What rules look back over; a comparison with the day before stays as it is.
const WINDOWS: [&str; 6] = ["[5m]", "[10m]", "[15m]", "[30m]", "[1h]", "[6h]"];

fn brief(text: &str) -> String {
    let line = |line: &str| {
        let is_daily = line.contains("[1d]");
        let line = if is_daily {
            line.to_owned()
        } else {
            shortened(line, &WINDOWS, "[1m]").replace("offset 15m", "offset 1m")
        };
        format!("{line}\n")
    };
    text.lines().map(line).collect()
}

fn shortened(text: &str, windows: &[&str], to: &str) -> String {
    windows.iter().fold(text.to_owned(), |text, window| text.replace(window, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hasty_differs_in_times_only() {
        let (calm, hasty) = (MonitoringSpec::default(), MonitoringSpec { hasty: true, ..MonitoringSpec::default() });
        for (name, text) in RULES {
            assert_eq!(calm.rules(text), text);
            let changed: Vec<_> = std::iter::zip(text.lines(), hasty.rules(text).lines().map(str::to_owned))
                .filter(|(before, after)| before != after)
                .map(|(before, after)| (before.to_owned(), after))
                .collect();
            assert!(name == "fleet.yml" || !changed.is_empty(), "{name}");
            for (before, after) in changed {
                let is_hold = before.trim_start().starts_with("for: ") && after.trim() == "for: 1s";
                let is_past = before.contains("_over_time(") && after.contains("[3s]");
                assert!(is_hold || is_past, "{before}: {after}");
            }
        }
        assert_eq!(calm.prometheus(), PROMETHEUS);
        assert_eq!(hasty.prometheus().matches("interval: 1s").count(), 3);
    }

    #[test]
    fn what_is_brief_looks_back_a_minute() {
        let brief = MonitoringSpec { brief: true, ..MonitoringSpec::default() };
        for (name, text) in RULES {
            let looks = |text: &str, window: &str| text.matches(window).count();
            let long = WINDOWS.map(|window| looks(&brief.rules(text), window));
            let daily = text.lines().filter(|line| line.contains("[1d]")).count();
            assert_eq!(long, [0, 0, 0, 0, daily, 0], "{name}");
            assert!(looks(&brief.rules(text), "[1m]") > looks(text, "[1m]"), "{name}");
        }
    }

    #[test]
    fn a_webhook_gets_everything() {
        let spec = MonitoringSpec { webhook: Some("http://127.0.0.1:1/".to_owned()), ..MonitoringSpec::default() };
        assert_eq!(spec.alertmanager().matches("      - url: http://127.0.0.1:1/\n").count(), 3);
        assert_eq!(MonitoringSpec::default().alertmanager(), ALERTMANAGER);
    }
}
