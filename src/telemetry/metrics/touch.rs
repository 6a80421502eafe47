//! Counters that are born at 0. One that is born at 40 has a rate of 0: the first increase would be invisible.

use super::super::{FAMILIES, Family, Owner, Type, Values};
use ::metrics::{Label, counter, histogram};

/// The label sets that are closed once the process has started. Bounded: by code (kinds, components, classes) and by
/// configuration (lanes).
#[derive(Clone, Debug, Default)]
pub struct Known<'a> {
    /// Kinds of the registry.
    pub kinds: &'a [&'a str],
    /// Lanes of the configuration.
    pub lanes: &'a [&'a str],
    /// Parts of the product.
    pub components: &'a [&'a str],
    /// Classes of errors.
    pub error_classes: &'a [&'a str],
    /// Vendors of cities' sites.
    pub vendors: &'a [&'a str],
    /// What stands behind circuit breakers.
    pub breakers: &'a [&'a str],
    /// Language models that this process asks.
    pub models: &'a [&'a str],
}

impl Known<'_> {
    fn values(&self, values: Values) -> Option<&[&str]> {
        match values {
            Values::Closed(set) => Some(set),
            Values::AtStart("kind") => Some(self.kinds),
            Values::AtStart("lane") => Some(self.lanes),
            Values::AtStart("component") => Some(self.components),
            Values::AtStart("error_class") => Some(self.error_classes),
            Values::AtStart("vendor") => Some(self.vendors),
            Values::AtStart("breaker") => Some(self.breakers),
            Values::AtStart("model") => Some(self.models),
            Values::AtStart(_) | Values::Bounded(..) => None,
        }
    }
}

/// Registers, at 0, every counter and histogram of these owners whose labels are all known. Call it
/// once at start.
pub fn touch(owners: &[Owner], known: &Known<'_>) {
    for family in FAMILIES.iter().filter(|f| owners.contains(&f.owner)) {
        for labels in label_sets(family, known) {
            match family.kind {
                Type::Counter => counter!(family.name, labels).increment(0),
                // Empty: its sum and count are born at 0.
                Type::Histogram(_) => drop(histogram!(family.name, labels)),
                Type::Gauge => {}
            }
        }
    }
}

/// The product of the labels' values; empty when one of them is open.
fn label_sets(family: &Family, known: &Known<'_>) -> Vec<Vec<Label>> {
    let mut sets = vec![Vec::new()];
    for label in family.labels {
        let values = known.values(label.values).unwrap_or_default();
        sets = sets
            .iter()
            .flat_map(|set| {
                values.iter().map(move |value| {
                    let mut longer: Vec<Label> = set.clone();
                    longer.push(Label::new(label.name, (*value).to_owned()));
                    longer
                })
            })
            .collect();
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::super::{Metrics, install::recorder};
    use super::*;

    #[test]
    fn counters_are_born_at_zero_for_every_known_label_set() {
        let recorder = recorder();
        let page = ::metrics::with_local_recorder(&recorder, || {
            let (kinds, components, error_classes) = (&["greet", "sync"], &["llm"], &["timeout"]);
            let known = Known { kinds, components, error_classes, vendors: &["legistar"], ..Known::default() };
            touch(&[Owner::Worker, Owner::Every], &known);
            Metrics::of(&recorder).render()
        });
        for series in [
            r#"docket_queue_jobs_processed_total{job_type="greet",status="dead_letter"} 0"#,
            r#"docket_queue_jobs_processed_total{job_type="sync",status="completed"} 0"#,
            r#"docket_errors_total{component="llm",type="timeout"} 0"#,
            "docket_fenced_writes_total 0",
            r#"docket_http_connections_refused_total{reason="too_many_connections"} 0"#,
            r#"docket_vendor_requests_total{vendor="legistar",status="timeout"} 0"#,
            r#"docket_processing_duration_seconds_sum{job_type="greet"} 0"#,
        ] {
            assert!(page.lines().any(|line| line == series), "{series} is missing in\n{page}");
        }
        assert!(!page.contains("docket_workers_lost_total"), "it is a scheduler's: {page}");
        assert!(!page.contains("docket_llm_requests_total"), "no model is known: {page}");
        assert!(!page.contains("docket_meetings_synced_total"), "its cities are open: {page}");
        assert!(!page.contains("docket_coverage_suspect_cities"), "it is a scheduler's: {page}");
    }

    #[test]
    fn a_gauge_that_somebody_sets_is_not_born() {
        let recorder = recorder();
        let page = ::metrics::with_local_recorder(&recorder, || {
            touch(&[Owner::Scheduler], &Known { vendors: &["legistar"], ..Known::default() });
            Metrics::of(&recorder).render()
        });
        assert!(!page.contains("docket_workers{") && !page.contains("docket_llm_budget_spent_ratio"), "{page}");
    }
}
