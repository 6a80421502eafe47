//! Dashboards without Grafana: what can be told from their JSON. The rules are those of Grafana's own dashboard linter, which
//! can't be run here, in our words.

use super::files::{asked, dashboards, panels, queries, root};
use serde_json::Value;
use std::{collections::BTreeSet, process::Command};

/// Units of Grafana that are used; another one is a misspelled one until somebody looks it up.
const UNITS: [&str; 9] = ["short", "s", "opm", "ops", "reqps", "percentunit", "currencyUSD", "bytes", "none"];
const KINDS: [&str; 5] = ["timeseries", "stat", "table", "heatmap", "state-timeline"];

#[test]
fn they_are_what_their_source_makes() {
    let source = root().join("infra/grafana/source/build.py");
    let output = Command::new("/usr/bin/python3").arg("-B").arg(source).arg("--check").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_panel_says_what_it_shows() {
    for (name, dashboard) in dashboards() {
        let mut titles = BTreeSet::new();
        for panel in panels(&dashboard) {
            let text = |key: &str| panel[key].as_str().unwrap_or_default();
            let (title, kind) = (text("title"), text("type"));
            assert!(!title.is_empty() && text("description").ends_with('.'), "{name}: {title}");
            assert!(KINDS.contains(&kind), "{name}: {title}: {kind}");
            assert!(kind == "table" || kind == "stat" || titles.insert(title), "{name}: {title} twice");
            let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default();
            assert!(UNITS.contains(&unit), "{name}: {title}: unit {unit:?}");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{name}: {title}");
            assert!(!queries(panel).is_empty(), "{name}: {title} asks for nothing");
        }
    }
}

#[test]
fn every_dashboard_can_be_narrowed_and_not_edited() {
    let mut uids = BTreeSet::new();
    for (name, dashboard) in dashboards() {
        assert_eq!(dashboard["uid"], name.as_str());
        assert!(uids.insert(name.clone()));
        assert_eq!((&dashboard["editable"], &dashboard["schemaVersion"]), (&Value::Bool(false), &Value::from(39)));
        let variables: Vec<&str> =
            dashboard["templating"]["list"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
        assert_eq!(variables, ["datasource", "job", "instance", "lane"]);
        for variable in dashboard["templating"]["list"].as_array().unwrap().iter().skip(1) {
            assert_eq!(variable["refresh"], 2, "{name}: {} does not follow the time range", variable["name"]);
        }
    }
    assert_eq!(uids.len(), 6);
}

#[test]
fn every_query_is_of_the_chosen_job_and_counts_over_the_right_time() {
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            let title = &panel["title"];
            for target in panel["targets"].as_array().unwrap() {
                let raw = target["expr"].as_str().unwrap();
                assert!(!raw.contains("rate(") || raw.contains("[$__rate_interval]"), "{name}: {title}: {raw}");
                let (selectors, _) = asked(&raw.replace("$__rate_interval", "1m"));
                for selector in selectors {
                    let is_recorded = selector.metric.starts_with("docket:") || selector.metric == "ALERTS";
                    let job = selector.labels.iter().find(|(label, ..)| label == "job");
                    let chosen =
                        job.is_some_and(|(_, value, _)| value.starts_with("$job") || value.starts_with("rabbitmq"));
                    assert!(is_recorded || chosen, "{name}: {title}: {} of any job", selector.metric);
                }
            }
        }
    }
}

/// Two panels never lie on each other, and none leaves the screen.
#[test]
fn panels_have_places_of_their_own() {
    for (name, dashboard) in dashboards() {
        let mut taken = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let grid = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            let (x, y, w, h) = (grid("x"), grid("y"), grid("w"), grid("h"));
            assert!(x + w <= 24 && w > 0 && h > 0, "{name}: {}", panel["title"]);
            for place in (y..y + h).flat_map(|y| (x..x + w).map(move |x| (x, y))) {
                assert!(taken.insert(place), "{name}: {} lies on another panel", panel["title"]);
            }
        }
    }
}

/// What wakes somebody is drawn where it is shown: the first design's lines, and age.
#[test]
fn thresholds_of_alerts_are_drawn() {
    for (name, title, limit) in [
        ("docket-start", "Errors a minute, by component", 5.0),
        ("docket-errors", "Errors a minute, by component", 5.0),
        ("docket-processing", "p95 of run times", 120.0),
        ("docket-queue", "Dead letters", 11.0),
        ("docket-queue", "Age of the oldest job that could run", 300.0),
    ] {
        let all = dashboards();
        let (_, dashboard) = all.iter().find(|(own, _)| own == name).unwrap();
        let panel = panels(dashboard).find(|panel| panel["title"] == title).unwrap();
        let steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array().unwrap();
        assert_eq!(steps.last().unwrap()["value"].as_f64(), Some(limit), "{name}: {title}");
    }
}
