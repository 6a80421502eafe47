//! Metrics, rules, dashboards and the runbook say the same; and what is asked of Prometheus has an answer.

mod contract;
mod dashboards;
mod demo;
mod drills;
mod files;
mod fleet;
mod logs;
mod memory;
mod rules;
mod runbook;
mod sums;
