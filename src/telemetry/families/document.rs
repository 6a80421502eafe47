//! docs/METRICS.md, out of the table.

use super::{FAMILIES, Family, Label, Owner, Type, Values};
use std::fmt::Write;

/// What the number of series depends on, and what a fleet of this version has by default.
const AT_START: [(&str, u64); 7] =
    [("kind", 7), ("lane", 1), ("component", 10), ("error_class", 20), ("vendor", 5), ("breaker", 6), ("model", 1)];

/// Series of a histogram beside its buckets: `+Inf`, sum, count.
const BESIDE_BUCKETS: usize = 3;

const HEAD: &str = "\
# Metrics

This page is printed by `docket metrics reference`, out of the table that the code records by. \
`tests/it/cli/metrics.rs` holds it equal to that table, `tests/it/observe/contract.rs` the dashboards and the alert rules. \
Every process answers `/metrics` in Prometheus' text format.

- Counters are born at 0 wherever their labels are known at start, because a rate does not see the first increase of a \
series that begins with it. Series by city, route and statement begin with their first event.
- Gauges of the queue, and of workers, come from one process of the fleet, whoever holds the lock: read them with `max by`. \
Those of the audit likewise. When that process goes, its series end with it, and another process takes over within 15 s.
- A drained lane reports 0.
- Cost is a histogram, because counters are whole numbers: `docket_llm_request_cost_usd_sum` is the dollar counter. Exact \
money is in the ledger.
- No label holds a job's id, an address, or the text of an error.

| family | type, unit | labels | exported by | meaning | series of a process, at most |
|---|---|---|---|---|---|
";

const TAIL: &str = "
With them come `process_*` (processor time, memory, file descriptors, start; by metrics-process).

## Buckets

In seconds, or in dollars for the cost. A quantile can't exceed the largest of them; 120 s, the line of an alert, is one.
";

/// The page.
#[must_use]
pub fn document() -> String {
    let mut page = HEAD.to_owned();
    for family in FAMILIES {
        let labels: Vec<String> = family.labels.iter().map(described).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {}. | {} |",
            family.name,
            kind(family),
            labels.join("; "),
            owner(family.owner),
            family.help,
            thousands(series(family)),
        );
    }
    let total = |owners: &[Owner]| {
        let theirs = FAMILIES.iter().filter(|family| owners.contains(&family.owner));
        thousands(theirs.map(series).sum())
    };
    let _ = writeln!(
        page,
        "\n## How many series\n\nWith 1,000 cities, one lane, one vendor and one model a worker has at most {}, a scheduler {}, \
         a server {}: most of them by city, or by labels that hardly ever meet.",
        total(&[Owner::Every, Owner::Worker]),
        total(&[Owner::Every, Owner::Scheduler, Owner::OneProcess]),
        total(&[Owner::Every]),
    );
    page.push_str(TAIL);
    for family in FAMILIES {
        if let Type::Histogram(buckets) = family.kind {
            let buckets: Vec<String> = buckets.iter().map(ToString::to_string).collect();
            let _ = writeln!(page, "- `{}`: {}", family.name, buckets.join(", "));
        }
    }
    page
}

fn kind(family: &Family) -> &'static str {
    match (family.kind, family.unit.is_some()) {
        (Type::Counter, _) => "counter",
        (Type::Gauge, false) => "gauge",
        (Type::Gauge, true) => "gauge, s",
        (Type::Histogram(_), true) => "histogram, s",
        (Type::Histogram(_), false) => "histogram",
    }
}

const fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Every => "every process",
        Owner::Scheduler => "schedulers",
        Owner::Worker => "workers",
        Owner::OneProcess => "one scheduler",
    }
}

fn described(label: &Label) -> String {
    match label.values {
        Values::Closed(values) => {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            format!("{}: {}", label.name, values.join(" "))
        }
        Values::AtStart(set) => format!("{}: each {}", label.name, set.replace('_', " ")),
        Values::Bounded(by, _) => format!("{}: {by}", label.name),
    }
}

fn series(family: &Family) -> u64 {
    let labels = family.labels.iter().map(|label| match label.values {
        Values::Closed(values) => values.len() as u64,
        Values::AtStart(set) => AT_START.iter().find(|(name, _)| *name == set).map_or(1, |(_, count)| *count),
        Values::Bounded(_, most) => most.into(),
    });
    let of_each = match family.kind {
        Type::Counter | Type::Gauge => 1,
        Type::Histogram(buckets) => (buckets.len() + BESIDE_BUCKETS) as u64,
    };
    labels.product::<u64>() * of_each
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_row_and_every_histogram_its_buckets() {
        let page = document();
        for family in FAMILIES {
            assert_eq!(page.matches(&format!("| `{}` |", family.name)).count(), 1, "{}", family.name);
            let is_histogram = matches!(family.kind, Type::Histogram(_));
            assert_eq!(page.contains(&format!("- `{}`: ", family.name)), is_histogram, "{}", family.name);
        }
    }

    #[test]
    fn series_are_the_product_of_labels_and_buckets() {
        let find = |name| FAMILIES.iter().find(|family| family.name == name).expect("listed");
        assert_eq!(series(find("docket_queue_jobs")), 6);
        assert_eq!(series(find("docket_pdf_extraction_duration_seconds")), 18);
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn what_is_counted_here_is_known_at_start_too() {
        for label in FAMILIES.iter().flat_map(|family| family.labels) {
            if let Values::AtStart(set) = label.values {
                assert!(AT_START.iter().any(|(name, _)| *name == set), "{set}");
            }
        }
    }
}
