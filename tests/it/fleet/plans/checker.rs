//! Reads a plan that was executed, and says what is wrong with it.

use serde_json::Value;

/// Rows that a plan may look at, for each row of its batch: a statement joins the rows that it changes more than once.
const LOOKS_PER_ROW: f64 = 8.0;

/// An executed plan, as EXPLAIN (ANALYZE, FORMAT JSON) tells it.
pub(super) struct Plan(Value);

impl Plan {
    pub(super) fn parse(text: &str) -> Self {
        let mut all: Value = serde_json::from_str(text).unwrap();
        Self(all[0]["Plan"].take())
    }

    /// What is wrong with a plan that may use only these indexes of `jobs`, and addresses `rows` rows.
    pub(super) fn faults(&self, indexes: &[&str], rows: usize) -> Vec<String> {
        let (mut faults, mut looks) = (Vec::new(), 0.0);
        walk(&self.0, &mut |node| {
            faults.extend(wrong_access(node, indexes));
            looks += looked_at(node);
        });
        let bound = LOOKS_PER_ROW * rows as f64;
        if looks > bound {
            faults.push(format!("looks at {looks} rows, for {rows} of its batch"));
        }
        faults
    }
}

fn walk(node: &Value, visit: &mut impl FnMut(&Value)) {
    visit(node);
    for child in node["Plans"].as_array().into_iter().flatten() {
        walk(child, visit);
    }
}

/// A way to the rows of `jobs` other than by ctid or by a condition on one of the allowed indexes.
fn wrong_access(node: &Value, indexes: &[&str]) -> Option<String> {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let index = node["Index Name"].as_str();
    let of_jobs = node["Relation Name"] == "jobs" || index.is_some_and(|name| name.starts_with("jobs_"));
    if !of_jobs || !kind.ends_with("Scan") || kind == "Tid Scan" {
        return None;
    }
    let allowed = index.is_some_and(|name| indexes.contains(&name));
    if allowed && node["Index Cond"].is_string() {
        return None;
    }
    Some(format!("{kind} of jobs by {} with {}", index.unwrap_or("nothing"), node["Index Cond"]))
}

/// Rows that a node read from `jobs`, and rows that any node read to throw them away.
fn looked_at(node: &Value) -> f64 {
    let number = |key: &str| node[key].as_f64().unwrap_or_default();
    let mut rows = number("Rows Removed by Filter") + number("Rows Removed by Join Filter");
    rows += number("Rows Removed by Index Recheck");
    if node["Relation Name"] == "jobs" && node["Node Type"] != "ModifyTable" {
        rows += number("Actual Rows");
    }
    rows * number("Actual Loops")
}
