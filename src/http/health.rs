//! Is this process alive, and is it ready? Each role registers what it can tell: progress, not only a socket.

use serde::Serialize;
use std::{fmt, sync::Arc};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Fine.
    Ok,
    /// Works, but worse than it should: the broker is away and leases go directly. Still an answer of 200.
    Degraded,
    /// Doesn't work: an answer of 503.
    Failed,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// How it went.
    pub status: CheckStatus,
    /// What it saw, for people. Never a secret: `/readyz` is open to everyone.
    pub detail: String,
}

impl CheckResult {
    /// Fine.
    #[must_use]
    pub fn ok(detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Ok, detail: detail.into() }
    }

    /// Works, but worse than it should.
    #[must_use]
    pub fn degraded(detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Degraded, detail: detail.into() }
    }

    /// Doesn't work.
    #[must_use]
    pub fn failed(detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Failed, detail: detail.into() }
    }
}

type Check = Arc<dyn Fn() -> CheckResult + Send + Sync>;

/// The checks of a process. They run at each probe, so they only look at shared state: no I/O, no waiting.
#[derive(Clone, Default)]
pub struct Health {
    live: Vec<(&'static str, Check)>,
    ready: Vec<(&'static str, Check)>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |checks: &[(&'static str, Check)]| checks.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        f.debug_struct("Health").field("live", &names(&self.live)).field("ready", &names(&self.ready)).finish()
    }
}

impl Health {
    /// No checks: alive and ready as soon as it answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check of `/livez`: failed means that only a restart helps.
    #[must_use]
    pub fn live(mut self, name: &'static str, check: impl Fn() -> CheckResult + Send + Sync + 'static) -> Self {
        self.live.push((name, Arc::new(check)));
        self
    }

    /// Adds a check of `/readyz`: failed means that this process can't do its work now.
    #[must_use]
    pub fn ready(mut self, name: &'static str, check: impl Fn() -> CheckResult + Send + Sync + 'static) -> Self {
        self.ready.push((name, Arc::new(check)));
        self
    }

    /// Whether the checks of `/livez` pass, for whoever restarts a process.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.liveness().status != CheckStatus::Failed
    }

    /// How the process goes, in one line: what doesn't live, else what isn't ready or worse than it should be.
    #[must_use]
    pub fn summary(&self) -> String {
        if !self.is_live() {
            return format!("not alive: {}", self.liveness().unwell());
        }
        let report = self.readiness();
        match report.status {
            CheckStatus::Ok => "ready".to_owned(),
            CheckStatus::Degraded => format!("degraded: {}", report.unwell()),
            CheckStatus::Failed => format!("not ready: {}", report.unwell()),
        }
    }

    pub(super) fn liveness(&self) -> Report {
        Report::of(&self.live)
    }

    pub(super) fn readiness(&self) -> Report {
        Report::of(&self.ready)
    }
}

/// The body of `/livez` and `/readyz`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    /// The worst of the checks.
    pub status: CheckStatus,
    checks: Vec<Named>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Named {
    name: &'static str,
    #[serde(flatten)]
    result: CheckResult,
}

impl Report {
    fn of(checks: &[(&'static str, Check)]) -> Self {
        let checks: Vec<Named> = checks.iter().map(|(name, check)| Named { name, result: check() }).collect();
        let status = checks.iter().map(|named| named.result.status).max().unwrap_or(CheckStatus::Ok);
        Self { status, checks }
    }

    /// The checks that are as bad as the report.
    fn unwell(&self) -> String {
        let worst = self.checks.iter().filter(|named| named.result.status == self.status);
        let told: Vec<String> = worst.map(|named| format!("{}: {}", named.name, named.result.detail)).collect();
        told.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_decides() {
        let ok = || CheckResult::ok("");
        let health = Health::new().ready("a", ok).ready("b", || CheckResult::degraded("slow"));
        assert_eq!(health.readiness().status, CheckStatus::Degraded);
        assert_eq!(health.liveness().status, CheckStatus::Ok, "no checks: it answers");
        let health = health.ready("c", || CheckResult::failed("away")).ready("d", ok);
        assert_eq!(health.readiness().status, CheckStatus::Failed);
    }

    #[test]
    fn the_summary_names_the_worst() {
        let health = Health::new().ready("a", || CheckResult::ok(""));
        assert_eq!((health.is_live(), health.summary().as_str()), (true, "ready"));
        let health = health.ready("b", || CheckResult::degraded("slow"));
        assert_eq!(health.summary(), "degraded: b: slow");
        let health = health.ready("c", || CheckResult::failed("away"));
        assert_eq!((health.is_live(), health.summary().as_str()), (true, "not ready: c: away"));
        let health = health.live("loop", || CheckResult::failed("stands still"));
        assert_eq!((health.is_live(), health.summary().as_str()), (false, "not alive: loop: stands still"));
    }
}
