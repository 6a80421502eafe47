//! What is taken from a page of metrics.

use crate::telemetry::names as n;
use std::collections::BTreeMap;

/// Publishes without an answer.
pub const UNKNOWN_PUBLISHES: &str = "publish_unknown";
/// Transactions with effects whose commit gave no answer.
pub const UNKNOWN_COMMITS: &str = "commit_unknown";
/// Stale pointers.
pub const DUPLICATES: &str = "duplicates";
/// Refused results.
pub const FENCED: &str = "fenced";
/// Direct leases.
pub const LEASED: &str = "leased";
/// Rows that R6 gave back.
pub const R6: &str = "r6";

/// The names with the series that they stand for: a family and a part of its labels.
const SERIES: &[(&str, &str, &str)] = &[
    (UNKNOWN_PUBLISHES, n::PUBLISHED, "outcome=\"unknown\""),
    (UNKNOWN_COMMITS, n::DB_OPERATIONS, "operation=\"commit\",status=\"error\""),
    (DUPLICATES, n::DUPLICATES_DROPPED, ""),
    (FENCED, n::FENCED, ""),
    (LEASED, n::LEASED_DIRECTLY, ""),
    (R6, n::RESCUED, "rule=\"R6\""),
];

/// Resident memory.
const RSS: &str = "process_resident_memory_bytes";

/// The counters of a page, and its resident memory.
#[must_use]
pub fn parse(page: &str) -> (BTreeMap<String, f64>, u64) {
    let mut counters = BTreeMap::new();
    let mut rss = 0.0;
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.parse::<f64>() else { continue };
        let (family, labels) = series.split_once('{').unwrap_or((series, ""));
        if family == RSS {
            rss = value;
        }
        for (name, _, _) in SERIES.iter().filter(|(_, of, part)| *of == family && labels.contains(part)) {
            *counters.entry((*name).to_owned()).or_default() += value;
        }
    }
    // Memory is a whole number of bytes far below 2^53.
    (counters, rss as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_taken_and_summed() {
        let page = "# TYPE docket_messages_published_total counter\n\
                    docket_messages_published_total{outcome=\"confirmed\"} 9\n\
                    docket_messages_published_total{outcome=\"unknown\"} 2\n\
                    docket_jobs_rescued_total{rule=\"R1\"} 5\ndocket_jobs_rescued_total{rule=\"R6\"} 1\n\
                    docket_db_operations_total{operation=\"commit\",status=\"error\"} 3\n\
                    docket_db_operations_total{operation=\"claim\",status=\"error\"} 7\n\
                    docket_fenced_writes_total 4\nprocess_resident_memory_bytes 1048576\nnonsense";
        let (counters, rss) = parse(page);
        let expected = [(UNKNOWN_COMMITS, 3.0), (FENCED, 4.0), (UNKNOWN_PUBLISHES, 2.0), (R6, 1.0)];
        assert_eq!(counters, expected.map(|(name, value)| (name.to_owned(), value)).into());
        assert_eq!(rss, 1_048_576);
    }
}
