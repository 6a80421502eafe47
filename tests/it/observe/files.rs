//! The files of `infra`, and what is asked in them.

use promql_parser::{
    label::MatchOp,
    parser::{Expr, VectorSelector, parse},
    util::{ExprVisitor, walk_expr},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
};

/// The project's folder.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files of a folder below `infra` with this ending, in order.
pub(super) fn listed(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = root().join("infra").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    paths.sort();
    assert!(!paths.is_empty(), "{}", folder.display());
    paths
}

pub(super) fn yaml(path: &Path) -> Value {
    serde_yaml_ng::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A rule of Prometheus.
pub(super) struct Rule {
    pub(super) file: String,
    /// Its `alert`; none: it records.
    pub(super) alert: Option<String>,
    pub(super) expr: String,
    pub(super) all: Value,
}

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for path in listed("prometheus/rules", "yml") {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for group in yaml(&path)["groups"].as_array().unwrap() {
            for rule in group["rules"].as_array().unwrap() {
                let text = |key: &str| rule[key].as_str().map(str::to_owned);
                let expr = text("expr").unwrap();
                rules.push(Rule { file: file.clone(), alert: text("alert"), expr, all: rule.clone() });
            }
        }
    }
    rules
}

/// A dashboard's name and JSON.
pub(super) fn dashboards() -> Vec<(String, Value)> {
    listed("grafana/dashboards", "json")
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect()
}

/// Panels that show something.
pub(super) fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
}

/// The query of each target, with Grafana's own variables filled in.
pub(super) fn queries(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().unwrap();
    targets.iter().map(|target| target["expr"].as_str().unwrap().replace("$__rate_interval", "1m")).collect()
}

/// One selector of a query.
pub(super) struct Asked {
    pub(super) metric: String,
    /// Label, value, and whether the value is text and no pattern.
    pub(super) labels: Vec<(String, String, bool)>,
}

/// Every selector of a query, and every label that it groups by.
pub(super) fn asked(query: &str) -> (Vec<Asked>, BTreeSet<String>) {
    let expr = parse(query).unwrap_or_else(|e| panic!("{query}: {e}"));
    let mut looking = Looking::default();
    let Ok(_) = walk_expr(&mut looking, &expr);
    (looking.asked, looking.grouped)
}

#[derive(Default)]
struct Looking {
    asked: Vec<Asked>,
    grouped: BTreeSet<String>,
}

impl ExprVisitor for Looking {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.note(selector),
            Expr::MatrixSelector(selector) => self.note(&selector.vs),
            Expr::Aggregate(aggregate) => {
                let labels = aggregate.modifier.iter().flat_map(|modifier| modifier.labels().labels.clone());
                self.grouped.extend(labels);
            }
            _ => {}
        }
        Ok(true)
    }
}

impl Looking {
    fn note(&mut self, selector: &VectorSelector) {
        let matchers = &selector.matchers.matchers;
        let labels = matchers.iter().map(|matcher| {
            let is_text = matches!(matcher.op, MatchOp::Equal | MatchOp::NotEqual);
            (matcher.name.clone(), matcher.value.clone(), is_text)
        });
        self.asked.push(Asked { metric: selector.name.clone().unwrap_or_default(), labels: labels.collect() });
    }
}
