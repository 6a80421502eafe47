//! How many statements the engine sent, and how long it waited for them, from this process's own metrics.

use crate::telemetry::{Metrics, names};
use serde::Serialize;
use std::collections::BTreeMap;

/// One operation of the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Statements {
    /// How often it was sent.
    pub count: u64,
    /// How long its callers waited, connection included, all of them together.
    pub seconds: f64,
}

/// Every operation so far.
pub(super) fn so_far(metrics: Option<&Metrics>) -> BTreeMap<String, Statements> {
    metrics.map(|metrics| parse(&metrics.render())).unwrap_or_default()
}

/// What was added since.
pub(super) fn since(
    before: &BTreeMap<String, Statements>,
    now: BTreeMap<String, Statements>,
) -> BTreeMap<String, Statements> {
    let less = |(name, now): (String, Statements)| {
        let before = before.get(&name).copied().unwrap_or_default();
        let seconds = (now.seconds - before.seconds).max(0.0);
        (name, Statements { count: now.count.saturating_sub(before.count), seconds })
    };
    now.into_iter().map(less).filter(|(_, statements)| statements.count > 0).collect()
}

fn parse(page: &str) -> BTreeMap<String, Statements> {
    let mut all: BTreeMap<String, Statements> = BTreeMap::new();
    for line in page.lines() {
        let Some(rest) = line.strip_prefix(names::DB_DURATION) else { continue };
        let Some((series, value)) = rest.rsplit_once(' ') else { continue };
        let Some((suffix, labels)) = series.split_once('{') else { continue };
        let Some(name) = labels.split('"').nth(1) else { continue };
        match suffix {
            "_count" => all.entry(name.to_owned()).or_default().count = value.parse().unwrap_or_default(),
            "_sum" => all.entry(name.to_owned()).or_default().seconds = value.parse().unwrap_or_default(),
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_seconds_by_operation() {
        let page = "# TYPE docket_db_operation_duration_seconds histogram\n\
                    docket_db_operation_duration_seconds_bucket{operation=\"claim\",le=\"0.001\"} 2\n\
                    docket_db_operation_duration_seconds_sum{operation=\"claim\"} 1.5\n\
                    docket_db_operation_duration_seconds_count{operation=\"claim\"} 3\n\
                    docket_db_operations_total{operation=\"claim\",status=\"ok\"} 9\n";
        let now = parse(page);
        assert_eq!(now, BTreeMap::from([("claim".to_owned(), Statements { count: 3, seconds: 1.5 })]));
        let before = BTreeMap::from([("claim".to_owned(), Statements { count: 1, seconds: 0.5 })]);
        assert_eq!(since(&before, now.clone())["claim"], Statements { count: 2, seconds: 1.0 });
        assert!(since(&now, now.clone()).is_empty());
        assert!(parse("").is_empty());
    }
}
