//! Prometheus and Alertmanager beside a private fleet, where the machine has them: with the files of `infra`, so that what
//! is tried here is what runs in production.

mod files;
mod servers;

pub use files::MonitoringSpec;
pub use servers::Monitoring;
