//! The events of the log are a closed list: docs/LOGGING.md. A line without one can't be searched for.

use regex::Regex;
use std::{collections::BTreeSet, fs, path::Path};

const LIST: &str = "docs/LOGGING.md";

/// Events of the lines at info and above with their levels, and the lines that name none at their beginning.
fn events(text: &str) -> (BTreeSet<(String, String)>, Vec<String>) {
    let product = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let line =
        Regex::new(r#"tracing::(info|warn|error)!\(\s*(?:target: [^,]+,\s*)?(?:event = (?:"([^"]+)")?)?"#).unwrap();
    let (mut named, mut nameless) = (BTreeSet::new(), Vec::new());
    for found in line.captures_iter(product) {
        match found.get(2) {
            Some(event) => drop(named.insert((event.as_str().to_owned(), found[1].to_owned()))),
            None if found[0].ends_with("event = ") => {}
            None => nameless.push(product[found.get(0).unwrap().start()..].chars().take(80).collect()),
        }
    }
    (named, nameless)
}

fn files(folder: &Path, all: &mut Vec<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// As `attempt_line` writes it.
fn outcome(outcome: docket::telemetry::AttemptOutcome) -> (String, String) {
    use docket::telemetry::AttemptOutcome::{DeadLetter, Failed, Retried};
    let level = match outcome {
        Retried => "warn",
        Failed | DeadLetter => "error",
        _ => "info",
    };
    (outcome.event().to_owned(), level.to_owned())
}

#[test]
fn the_list_of_events_is_the_codes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    files(&root.join("src"), &mut sources);
    let mut named: BTreeSet<(String, String)> = docket::telemetry::AttemptOutcome::ALL.map(outcome).into();
    for source in &sources {
        let (events, nameless) = events(source);
        assert!(nameless.is_empty(), "a line without an event at its beginning: {nameless:?}");
        named.extend(events);
    }
    let list = fs::read_to_string(root.join(LIST)).unwrap();
    let rows = list.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let listed: BTreeSet<(String, String)> = rows
        .filter_map(|(event, rest)| Some((event, rest.split_once(" | ")?.0)))
        .flat_map(|(event, levels)| levels.split(", ").map(move |level| (event.to_owned(), level.to_owned())))
        .filter(|(_, level)| ["info", "warn", "error"].contains(&level.as_str()))
        .collect();
    assert_eq!(listed, named, "{LIST} lists other events than the code has");
}

#[test]
fn a_line_without_an_event_is_found() {
    let (named, nameless) = events(
        "tracing::info!(event = \"a.b\", \"x\"); tracing::warn!(\n    event = line.outcome.event(),\n); \
         tracing::error!(%error, \"bad\"); tracing::debug!(\"free\");",
    );
    assert_eq!(named, BTreeSet::from([("a.b".to_owned(), "info".to_owned())]));
    assert_eq!(nameless.len(), 1);
}
