//! The table of families is the contract: what rules and dashboards ask for is in it, with labels and values that can be.

use super::files::{Asked, asked, dashboards, listed, panels, queries, rules, yaml};
use docket::telemetry::{FAMILIES, Family, Type, Values};
use std::collections::BTreeSet;

/// Labels that Prometheus and its configuration give every series.
const TARGET: [&str; 3] = ["job", "instance", "role"];
/// What histograms have, and what the `ALERTS` series have.
const OTHER_LABELS: [&str; 3] = ["le", "alertname", "alertstate"];
/// Values of labels whose sets are closed when a process starts, as far as rules, panels and tests name any.
const AT_START: [(&str, &[&str]); 1] = [("component", &["vendor", "llm", "database"])];
/// Series that are not ours: Prometheus' own, the process collector's, RabbitMQ's.
const FOREIGN: [&str; 4] = ["up", "ALERTS", "process_", "rabbitmq_detailed_queue_"];

/// The queries of all rules and panels, each with where it stands.
fn all() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        rules().into_iter().map(|rule| (format!("{} {:?}", rule.file, rule.alert), rule.expr)).collect();
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            all.extend(queries(panel).into_iter().map(|query| (format!("{name}: {}", panel["title"]), query)));
        }
    }
    all
}

fn family(metric: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| match family.kind {
        Type::Histogram(_) => {
            metric.strip_prefix(family.name).is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix))
        }
        Type::Counter | Type::Gauge => metric == family.name,
    })
}

#[test]
fn what_is_asked_for_is_exported() {
    let recorded: Vec<String> =
        rules().iter().filter_map(|rule| rule.all["record"].as_str().map(str::to_owned)).collect();
    let mut families = BTreeSet::new();
    for (place, query) in all() {
        let (selectors, grouped) = asked(&query);
        let mut known: BTreeSet<&str> = TARGET.iter().chain(&OTHER_LABELS).copied().collect();
        for Asked { metric, labels } in &selectors {
            if recorded.contains(metric) || FOREIGN.iter().any(|foreign| metric.starts_with(foreign)) {
                known.extend(["queue", "vhost"]);
                continue;
            }
            let family = family(metric).unwrap_or_else(|| panic!("{place}: no family {metric}"));
            families.insert(family.name);
            known.extend(family.labels.iter().map(|label| label.name));
            for (label, value, is_text) in labels.iter().filter(|(label, ..)| !TARGET.contains(&label.as_str())) {
                let Some(own) = family.labels.iter().find(|own| own.name == label) else {
                    panic!("{place}: {metric} has no label {label}");
                };
                let values = match own.values {
                    Values::Closed(values) => values,
                    Values::AtStart(set) => match AT_START.iter().find(|(name, _)| *name == set) {
                        Some((_, values)) => values,
                        None => continue,
                    },
                    Values::Bounded(..) => continue,
                };
                let named = if *is_text { vec![value.as_str()] } else { value.split('|').collect() };
                for value in named {
                    assert!(values.contains(&value), "{place}: {label} of {metric} is never {value:?}");
                }
            }
        }
        for label in grouped {
            assert!(known.contains(label.as_str()), "{place}: nothing has the label {label}");
        }
    }
    // The other way: what is exported is shown somewhere, or it is an oversight.
    let unseen: Vec<&str> = FAMILIES.iter().map(|f| f.name).filter(|name| !families.contains(name)).collect();
    assert_eq!(unseen, ["docket_tokio_workers"], "neither in a rule nor in a panel");
}

/// A rule's test over a series that no process has proves nothing.
#[test]
fn the_tests_of_rules_use_series_that_can_be() {
    let mut looked = 0;
    for path in listed("prometheus/tests", "yml") {
        for test in yaml(&path)["tests"].as_array().unwrap() {
            for series in test["input_series"].as_array().unwrap() {
                let series = series["series"].as_str().unwrap();
                let (selectors, _) = asked(series);
                let [Asked { metric, labels }] = &selectors[..] else { panic!("{series}") };
                let Some(family) = family(metric) else { continue };
                looked += 1;
                for (label, value, _) in labels.iter().filter(|(label, ..)| label != "instance" && label != "le") {
                    let Some(own) = family.labels.iter().find(|own| own.name == label) else { panic!("{series}") };
                    let Values::Closed(values) = own.values else { continue };
                    assert!(values.contains(&value.as_str()), "{series}: {label} is never {value:?}");
                }
            }
        }
    }
    assert!(looked > 50);
}

/// Prometheus keeps the target's own, and calls ours `exported_…`.
#[test]
fn no_family_has_a_label_of_the_target() {
    for family in FAMILIES {
        for label in family.labels {
            assert!(!TARGET.contains(&label.name), "{} has the label {}", family.name, label.name);
        }
    }
}

#[test]
fn counters_stand_inside_a_rate() {
    // What a counter was born with is no increase: one rule asks for that.
    let (asks_for_births, others): (Vec<_>, Vec<_>) =
        all().into_iter().partition(|(_, query)| query.contains(" unless "));
    assert!(asks_for_births.len() <= 2, "{asks_for_births:?}");
    for (place, query) in others {
        let (selectors, _) = asked(&query);
        for metric in selectors.iter().map(|asked| &asked.metric).filter(|metric| metric.ends_with("_total")) {
            let inside = query.split(metric.as_str()).skip(1).all(|rest| {
                let rest = rest.trim_start_matches(|c| c != '}' && c != '[' && c != ')');
                rest.trim_start_matches('}').starts_with('[')
            });
            assert!(inside, "{place}: {metric} is a counter, and no range of it is asked for: {query}");
        }
    }
}
