//! The rules. Each takes a file and says what is wrong with it.

use crate::{paths::paths, source::Source};

pub(crate) type Rule = fn(&Source) -> Vec<String>;

pub(crate) const RULES: &[(&str, Rule)] = &[
    ("layers", layers),
    ("broker", lapin_stays_in_the_broker),
    ("pure", pure),
    ("ports", loops_know_only_ports),
    ("parts", ledger_and_broker_are_strangers),
    ("length", length),
    ("unwrap", unwrap),
    ("clock", clock),
    ("suppressions", suppressions),
];

/// From the top down: a module names those after it, and itself.
const LAYERS: [&str; 8] = ["cli", "dev", "config", "http", "civic", "fleet", "db", "telemetry"];

const MAX_LINES: usize = 400;

/// Data goes down, never back up.
fn layers(source: &Source) -> Vec<String> {
    let Some(inside) = source.path.strip_prefix("src/") else { return Vec::new() };
    if matches!(inside, "main.rs" | "lib.rs") {
        return Vec::new();
    }
    let own = inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs");
    let Some(layer) = LAYERS.iter().position(|name| *name == own) else {
        return vec![format!("{own} has no place in the layers")];
    };
    let above = |path: &Vec<String>| match path.get(1) {
        _ if path[0] != "crate" => false,
        // `use crate::*`, `use crate as …`, or `super` beyond the root: nobody could tell what it names.
        None => true,
        Some(name) => LAYERS.iter().position(|layer| layer == name).is_none_or(|named| named < layer),
    };
    paths(source).into_iter().filter(above).map(|path| path.join("::")).collect()
}

fn lapin_stays_in_the_broker(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/") || source.path.starts_with("src/fleet/broker/") {
        return Vec::new();
    }
    words(source, &["lapin"])
}

/// Kinds, states, priorities and retries are arithmetic, and so are agendas: nothing in, nothing out, no clock.
fn pure(source: &Source) -> Vec<String> {
    let folders = [
        "src/fleet/job/",
        "src/fleet/retry/",
        "src/fleet/breaker/state.rs",
        "src/fleet/pace/state.rs",
        "src/civic/agenda/",
        "src/civic/model/",
    ];
    if !folders.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let mut faults = words(
        source,
        &["tokio", "tokio_postgres", "deadpool_postgres", "lapin", "reqwest", "hyper", "axum", "metrics", "tracing"],
    );
    faults.extend(words(source, &["SystemTime", "Instant", "async", "await", "rand", "now_v7", "new_v4"]));
    let outside = [["std", "fs"], ["std", "net"], ["std", "env"], ["std", "process"], ["std", "thread"], ["std", "io"]];
    faults.extend(naming(source, |path| outside.iter().any(|outside| path.starts_with(&outside.map(str::to_owned)))));
    faults.extend(naming(source, |path| path.ends_with(&["Timestamp".to_owned(), "now".to_owned()])));
    faults
}

/// What the protocol is written in can be run against simulated parts.
fn loops_know_only_ports(source: &Source) -> Vec<String> {
    let loops = ["src/fleet/ports", "src/fleet/scheduler/", "src/fleet/worker/", "src/fleet/dead_letter/"];
    if !loops.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let mut faults = words(source, &["PgLedger", "PgTx", "AmqpBroker", "tokio_postgres", "deadpool_postgres", "lapin"]);
    faults.extend(naming(source, |path| within(path, "ledger") || within(path, "broker")));
    faults
}

fn ledger_and_broker_are_strangers(source: &Source) -> Vec<String> {
    let other = if source.path.starts_with("src/fleet/ledger/") {
        "broker"
    } else if source.path.starts_with("src/fleet/broker/") {
        "ledger"
    } else {
        return Vec::new();
    };
    naming(source, |path| within(path, other))
}

fn within(path: &[String], module: &str) -> bool {
    path.len() > 2 && path[0] == "crate" && path[1] == "fleet" && path[2] == module
}

fn length(source: &Source) -> Vec<String> {
    let too_long = source.lines > MAX_LINES;
    too_long.then(|| format!("{} lines, at most {MAX_LINES}", source.lines)).into_iter().collect()
}

/// `expect("why it holds")` says what `unwrap()` keeps to itself.
fn unwrap(source: &Source) -> Vec<String> {
    let count = compact(&source.product()).matches(".unwrap()").count();
    (count > 0).then(|| format!("{count} times .unwrap() outside tests")).into_iter().collect()
}

/// Loops use tokio's clock, which tests can pause; a blocked runtime thread misses heartbeats.
fn clock(source: &Source) -> Vec<String> {
    let is = |path: &[String], parts: [&str; 2]| path.windows(2).any(|pair| pair == parts.map(str::to_owned));
    // `use std::time;` lets `time::Instant` be written, so the first part can't be asked for.
    let tokios = |path: &[String]| path[0] == "tokio";
    naming(source, |path| (is(path, ["time", "Instant"]) && !tokios(path)) || is(path, ["thread", "sleep"]))
}

/// A suppression says why, and goes when it is no longer needed.
fn suppressions(source: &Source) -> Vec<String> {
    let code = compact(&source.code);
    let mut faults = Vec::new();
    for attribute in code.split("#[").skip(1).chain(code.split("#![").skip(1)) {
        let attribute = attribute.split(']').next().unwrap_or_default();
        if attribute.starts_with("allow(") || attribute.contains(",allow(") {
            faults.push(format!("#[{attribute}]: write #[expect(…, reason = …)]"));
        }
        if (attribute.starts_with("expect(") || attribute.contains(",expect(")) && !attribute.contains("reason=") {
            faults.push(format!("#[{attribute}] has no reason"));
        }
    }
    faults
}

/// The code without white space.
fn compact(code: &str) -> String {
    code.split_whitespace().collect()
}

/// Which of these words the code holds.
fn words(source: &Source, forbidden: &[&str]) -> Vec<String> {
    let mut held: Vec<&str> = source.code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    held.retain(|word| forbidden.contains(word));
    held.sort_unstable();
    held.dedup();
    held.into_iter().map(|word| format!("names {word}")).collect()
}

fn naming(source: &Source, is_forbidden: impl Fn(&[String]) -> bool) -> Vec<String> {
    let found = paths(source).into_iter().filter(|path| is_forbidden(path));
    found.map(|path| format!("names {}", path.join("::"))).collect()
}
