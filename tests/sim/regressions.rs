//! Seeds that once broke a promise: a line each, the seed and what it found. They are told again in every run.

use std::{fs, io::Write, path::PathBuf};

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "sim", "regressions"].iter().collect()
}

/// The seeds that are kept.
pub(crate) fn kept() -> Vec<u64> {
    let text = fs::read_to_string(file()).expect("tests/sim/regressions is part of the project");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| line.split_whitespace().next().unwrap_or(line).parse().expect("a line begins with a seed"))
        .collect()
}

/// A panic tells its place and its message in two lines, and the file has one for each seed.
fn one_line(what: &str) -> String {
    what.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(150).collect()
}

/// Adds what was found now.
pub(crate) fn keep(bad: &[(u64, String)]) {
    let known = kept();
    let new = bad.iter().filter(|(seed, _)| !known.contains(seed));
    let lines: String = new.map(|(seed, what)| format!("{seed} {}\n", one_line(what))).collect();
    let added = fs::OpenOptions::new().append(true).open(file()).and_then(|mut file| file.write_all(lines.as_bytes()));
    if let Err(error) = added {
        eprintln!("the seeds are not kept: {error}");
    }
}
