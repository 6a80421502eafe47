//! Withdrawn gauges. The exporter can't forget a series; a gauge that this process no longer owns must not go on with
//! its last value, or a sum over processes lies.

use ::metrics::{Label, gauge};

/// Takes a gauge off `/metrics` until it is set again.
pub fn withdraw(name: &'static str, labels: Vec<Label>) {
    gauge!(name, labels).set(f64::NAN);
}

/// The page without the series that are withdrawn: those whose value is not a number. No other gauge is ever set so.
pub(super) fn without_withdrawn(page: &str) -> String {
    let mut kept = String::with_capacity(page.len());
    for line in page.lines().filter(|line| line.starts_with('#') || !line.ends_with(" NaN")) {
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::{Metrics, install::recorder};
    use super::*;
    use crate::telemetry::names::QUEUE_JOBS;

    #[test]
    fn a_withdrawn_series_is_gone_until_it_is_set_again() {
        let recorder = recorder();
        ::metrics::with_local_recorder(&recorder, || {
            let metrics = Metrics::of(&recorder);
            let labels = || vec![Label::new("lane", "a"), Label::new("status", "pending")];
            let series = r#"docket_queue_jobs{lane="a",status="pending"} "#;
            gauge!(QUEUE_JOBS, labels()).set(7.0);
            assert!(metrics.render().contains(&format!("{series}7\n")));
            withdraw(QUEUE_JOBS, labels());
            assert!(!metrics.render().contains(series));
            gauge!(QUEUE_JOBS, labels()).set(0.0);
            assert!(metrics.render().contains(&format!("{series}0\n")));
        });
    }
}
