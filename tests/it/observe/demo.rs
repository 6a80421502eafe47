//! Every panel has something to show: its queries run against a real Prometheus that scraped a fleet with faults.

use super::{
    files::{dashboards, panels, queries, rules},
    fleet::Demo,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Panels of features to come, or of faults that a demonstration does not have: the reason for each.
const EMPTY: [(&str, &str, &str); 0] = [];

/// Three scrapes, so that everything has a rate.
const SCRAPES: Duration = Duration::from_secs(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes two minutes: scripts/test --all"]
async fn no_panel_is_empty_after_a_demonstration() {
    let demo = Demo::done(2, &[]).await;
    let targets = demo.targets().await;
    let roles: Vec<&str> = targets.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!((roles.iter().filter(|r| **r == "worker").count(), roles.len()), (2, 3), "{roles:?}");
    let (_, api) = targets.iter().find(|(role, _)| role == "dev").unwrap();
    let until = Instant::now() + SCRAPES;
    while Instant::now() < until {
        // Something for the panels of the API: answers and refusals.
        for path in ["api/queue-stats", "api/jobs/0", "nowhere"] {
            demo.get(&format!("http://{api}/{path}")).await;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let mut failed = Vec::new();
    let mut used = 0;
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            for query in queries(panel) {
                // What Grafana fills in when everything is chosen; a demonstration is shorter than an hour.
                let query = ["$job", "$instance", "$lane"].iter().fold(query, |query, name| query.replace(name, ".+"));
                let query = query.replace("[1m]", "[5m]");
                let answer = demo.prometheus("query", &[("query", &query)]).await;
                let is_allowed = EMPTY.iter().any(|(dashboard, panel, _)| *dashboard == name && *panel == title);
                let is_empty = answer["data"]["result"].as_array().is_none_or(Vec::is_empty);
                used += usize::from(is_allowed && is_empty);
                if answer["status"] != "success" || is_empty != is_allowed {
                    failed.push(format!("{name}: {title}: {query}: {}", answer["error"].as_str().unwrap_or("empty")));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(used >= EMPTY.len(), "a panel is excused and needs no excuse");
    // The rules are loaded and none of them fails.
    let answer = demo.prometheus("rules", &[]).await;
    let groups = answer["data"]["groups"].as_array().unwrap();
    let loaded: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert_eq!(loaded.len(), rules().len());
    for rule in loaded {
        assert_eq!(rule["health"], "ok", "{}: {}", rule["name"], rule["lastError"]);
    }
}
