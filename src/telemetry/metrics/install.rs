//! Installing the recorder with the buckets and the help texts of the table.

use super::{
    super::{FAMILIES, Type, dropped_lines, names},
    render::without_withdrawn,
    runtime,
};
use ::metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Histogram samples wait in memory until a scrape or an upkeep drains them.
pub const UPKEEP: Duration = Duration::from_secs(5);

/// A recorder was installed before.
#[derive(Debug, thiserror::Error)]
#[error("metrics are installed already: install them once a process")]
pub struct InstallError;

/// Sets gauges of what only needs to be known when somebody asks.
type Sampler = Box<dyn Fn() + Send + Sync>;

/// The metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Arc<Collector>,
    /// One for each pool: a handful.
    samplers: Arc<Mutex<Vec<Sampler>>>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Installs the recorder for the whole process. Spawn [`Metrics::upkeep`] too.
    ///
    /// # Errors
    /// When there is one already.
    pub fn install() -> Result<Self, InstallError> {
        let recorder = recorder();
        let metrics = Self::of(&recorder);
        ::metrics::set_global_recorder(recorder).map_err(|_| InstallError)?;
        metrics.describe();
        Ok(metrics)
    }

    pub(super) fn of(recorder: &PrometheusRecorder) -> Self {
        Self { handle: recorder.handle(), process: Arc::new(Collector::default()), samplers: Arc::default() }
    }

    /// Has `sample` set its gauges whenever the page is rendered. It must not wait for anything.
    pub fn at_render(&self, sample: impl Fn() + Send + Sync + 'static) {
        self.samplers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(sample));
    }

    pub(super) fn describe(&self) {
        for family in FAMILIES {
            let unit = family.unit.unwrap_or(Unit::Count);
            match family.kind {
                Type::Counter => describe_counter!(family.name, unit, family.help),
                Type::Gauge => describe_gauge!(family.name, unit, family.help),
                Type::Histogram(_) => describe_histogram!(family.name, unit, family.help),
            }
        }
        self.process.describe();
        gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    }

    /// The text of `/metrics`.
    #[must_use]
    pub fn render(&self) -> String {
        self.process.collect();
        runtime::sample();
        self.samplers.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|sample| sample());
        counter!(names::LOG_LINES_DROPPED).absolute(dropped_lines());
        without_withdrawn(&self.handle.render())
    }

    /// Keeps the memory of unread samples bounded, until `shutdown`.
    pub async fn upkeep(self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(UPKEEP);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
            self.handle.run_upkeep();
        }
    }
}

/// A recorder with explicit buckets for every histogram.
pub(super) fn recorder() -> PrometheusRecorder {
    let mut builder = PrometheusBuilder::new();
    for family in FAMILIES {
        if let Type::Histogram(buckets) = family.kind {
            // By full name: the exporter matches what is recorded.
            builder = builder
                .set_buckets_for_metric(Matcher::Full(family.name.to_owned()), buckets)
                .expect("no set of buckets in the table is empty");
        }
    }
    builder.build_recorder()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::metrics::{Label, histogram};
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    /// One sample of each family, on a recorder of its own.
    fn page() -> String {
        let recorder = recorder();
        ::metrics::with_local_recorder(&recorder, || {
            let metrics = Metrics::of(&recorder);
            metrics.describe();
            for family in FAMILIES {
                let labels: Vec<Label> = family.labels.iter().map(|l| Label::new(l.name, "x")).collect();
                match family.kind {
                    Type::Counter => counter!(family.name, labels).increment(1),
                    Type::Gauge => gauge!(family.name, labels).set(1.0),
                    Type::Histogram(_) => histogram!(family.name, labels).record(0.2),
                }
            }
            metrics.render()
        })
    }

    #[test]
    fn no_family_is_a_summary_and_each_has_help_and_type_once() {
        let page = page();
        assert!(!page.contains(" summary"), "{page}");
        for family in FAMILIES {
            let kind = match family.kind {
                Type::Counter => "counter",
                Type::Gauge => "gauge",
                Type::Histogram(_) => "histogram",
            };
            assert_eq!(page.matches(&format!("# TYPE {} {kind}\n", family.name)).count(), 1, "{}", family.name);
            assert_eq!(page.matches(&format!("# HELP {} ", family.name)).count(), 1, "{}", family.name);
        }
        assert!(page.contains("process_resident_memory_bytes"), "{page}");
        assert!(page.contains(r#"docket_processing_duration_seconds_bucket{job_type="x",le="120"} 1"#), "{page}");
    }

    /// Prometheus' own check, where it is installed (Debian: apt install prometheus).
    #[test]
    fn promtool_finds_no_fault() {
        let spawned = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = spawned else {
            eprintln!("SKIPPED: promtool is not installed, so its check of /metrics did not run");
            return;
        };
        child.stdin.take().expect("piped").write_all(page().as_bytes()).expect("promtool reads");
        let out = child.wait_with_output().expect("promtool ends");
        let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success() && said.trim().is_empty(), "{said}");
    }
}
