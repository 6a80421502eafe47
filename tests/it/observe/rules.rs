//! Rules and the configuration around them, by the tools of Prometheus.

use super::files::{listed, root, rules, yaml};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

/// Alerts whose expression compares with nothing.
const NO_THRESHOLD: [&str; 2] = ["DocketMetricsAbsent", "DocketWatchdog"];

fn run(program: &str, folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(program).args(args).current_dir(folder).output();
    output.unwrap_or_else(|e| panic!("{program}: {e}; scripts/test installs it"))
}

fn passes(program: &str, folder: &str, args: &[&str]) {
    let output = run(program, &root().join("infra").join(folder), args);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {args:?}:\n{said}");
}

fn names(folder: &str) -> Vec<String> {
    let name = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    listed(folder, "yml").iter().map(name).collect()
}

#[test]
fn promtool_and_amtool_find_no_fault() {
    for rule in names("prometheus/rules") {
        passes("promtool", "prometheus/rules", &["check", "rules", "--lint=all", "--lint-fatal", &rule]);
    }
    for config in ["prometheus.yml", "prometheus.compose.yml"] {
        passes("promtool", "prometheus", &["check", "config", config]);
    }
    passes("amtool", "alertmanager", &["check-config", "alertmanager.yml"]);
}

#[test]
fn each_alert_fires_and_is_silent_as_its_tests_say() {
    for test in names("prometheus/tests") {
        passes("promtool", "prometheus/tests", &["test", "rules", &test]);
    }
    let (mut firing, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for path in listed("prometheus/tests", "yml") {
        for case in
            yaml(&path)["tests"].as_array().unwrap().iter().flat_map(|t| t["alert_rule_test"].as_array().unwrap())
        {
            let set = if case["exp_alerts"].as_array().unwrap().is_empty() { &mut silent } else { &mut firing };
            set.insert(case["alertname"].as_str().unwrap().to_owned());
        }
    }
    for alert in rules().iter().filter_map(|rule| rule.alert.as_ref()) {
        assert!(firing.contains(alert), "no test in which {alert} fires");
        assert!(silent.contains(alert) || alert == "DocketWatchdog", "no test in which {alert} is silent");
    }
}

/// Each number that an expression compares with, a tenth (or one) higher and lower: some test must notice.
#[test]
fn no_threshold_can_change_unnoticed() {
    let threshold = regex::Regex::new(r"(?m)(?:>=|==|[<>]) ([0-9.]+)(?:[ )]|$)").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let (rules_dir, tests_dir) = (scratch.path().join("rules"), scratch.path().join("tests"));
    fs::create_dir(&rules_dir).unwrap();
    fs::create_dir(&tests_dir).unwrap();
    let mut tests = Vec::new();
    for path in listed("prometheus/tests", "yml") {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(tests_dir.join(path.file_name().unwrap()), &text).unwrap();
        tests.push((path.file_name().unwrap().to_string_lossy().into_owned(), text));
    }
    let mut tried = BTreeSet::new();
    for rule in rules() {
        let Some(alert) = rule.alert else { continue };
        let whole = fs::read_to_string(root().join("infra/prometheus/rules").join(&rule.file)).unwrap();
        let own = whole.find(&format!("alert: {alert}\n")).unwrap();
        let end = whole[own..].find("        labels:").unwrap() + own;
        let asking: Vec<&str> = tests
            .iter()
            .filter(|(_, text)| text.contains(&format!("alertname: {alert}\n")))
            .map(|(name, _)| name.as_str())
            .collect();
        for found in threshold.captures_iter(&whole[own..end]) {
            let number = found.get(1).unwrap();
            let value: f64 = number.as_str().parse().unwrap();
            for change in [1.0, -1.0] {
                let step = if value.fract() == 0.0 { (value / 10.0).max(1.0) } else { value / 10.0 };
                let (start, stop) = (own + number.start(), own + number.end());
                let mutated = format!("{}{}{}", &whole[..start], value + change * step, &whole[stop..]);
                fs::write(rules_dir.join(&rule.file), mutated).unwrap();
                let noticed =
                    asking.iter().any(|test| !run("promtool", &tests_dir, &["test", "rules", test]).status.success());
                assert!(noticed, "{alert}: {value} may as well be {}", value + change * step);
            }
            tried.insert(alert.clone());
        }
    }
    let untried: Vec<_> =
        rules().into_iter().filter_map(|rule| rule.alert).filter(|alert| !tried.contains(alert)).collect();
    assert_eq!(untried.iter().collect::<BTreeSet<_>>(), NO_THRESHOLD.map(str::to_owned).iter().collect());
}

#[test]
fn whoever_is_woken_is_told_what_and_where_to_read_on() {
    let runbook = fs::read_to_string(root().join("docs/RUNBOOK.md")).unwrap();
    let sections: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut alerts = BTreeSet::new();
    for rule in rules() {
        let Some(alert) = rule.alert else { continue };
        let note = |key: &str| rule.all["annotations"][key].as_str().unwrap_or_else(|| panic!("{alert}: no {key}"));
        assert!(!note("summary").contains("$value"), "{alert}: a summary that changes with each evaluation");
        assert!(note("description").contains("$value"), "{alert}: no number");
        assert_eq!(note("runbook_url"), format!("docs/RUNBOOK.md#{}", alert.to_lowercase()));
        let severity = rule.all["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["page", "ticket", "none"].contains(&severity), "{alert}: {severity}");
        let (_, section) =
            runbook.split_once(&format!("## {alert}\n")).unwrap_or_else(|| panic!("{alert}: no section"));
        let section = section.split("\n## ").next().unwrap();
        for part in ["**Means.**", "**Do.**", "**Drill.**"] {
            assert!(section.contains(part), "{alert}: no {part} in the runbook");
        }
        alerts.insert(alert);
    }
    assert_eq!(alerts.iter().map(String::as_str).collect::<BTreeSet<_>>(), sections, "sections of the runbook");
}

/// By file and by DNS the same is scraped, as often, and rewritten alike.
#[test]
fn both_configurations_of_prometheus_differ_in_their_targets_only() {
    let bare = |name: &str| {
        let mut config = yaml(&root().join("infra/prometheus").join(name));
        config.as_object_mut().unwrap().remove("alerting");
        for job in config["scrape_configs"].as_array_mut().unwrap() {
            let job = job.as_object_mut().unwrap();
            ["file_sd_configs", "dns_sd_configs", "static_configs", "relabel_configs"].iter().for_each(|key| {
                job.remove(*key);
            });
        }
        config
    };
    assert_eq!(bare("prometheus.yml"), bare("prometheus.compose.yml"));
    let global = &bare("prometheus.yml")["global"];
    assert_eq!(
        (&global["scrape_interval"], &global["evaluation_interval"]),
        (&Value::from("15s"), &Value::from("15s"))
    );
}

/// The runbook names for an alert the drills that say that they fire it, and no other.
#[test]
fn drills_fire_what_the_runbook_says() {
    use docket::dev::drill::Drill;
    let runbook = fs::read_to_string(root().join("docs/RUNBOOK.md")).unwrap();
    for section in runbook.split("\n## ").skip(1) {
        let alert = section.lines().next().unwrap();
        let named: BTreeSet<&str> = Drill::ALL
            .iter()
            .map(|d| d.as_str())
            .filter(|name| section.contains(&format!("`docket drill {name}`")))
            .collect();
        let firing: BTreeSet<&str> =
            Drill::ALL.iter().filter(|drill| drill.alerts().contains(&alert)).map(|drill| drill.as_str()).collect();
        assert_eq!(named, firing, "{alert}");
    }
}
