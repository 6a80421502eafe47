//! The walls of the package: who may name whom, and a few rules that no lint holds. They read `src` as text.
//!
//! A rule that can't fail holds nothing, so each is also fed a piece of code that it must refuse.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

mod documents;
mod events;
mod paths;
mod refusals;
mod rules;
mod source;

use rules::RULES;
use source::Source;
use std::path::Path;

#[test]
fn the_source_keeps_to_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = Source::all(root, &["src", "tests", "benches"]);
    assert!(files.len() > 100, "found only {} files: the test looks in the wrong place", files.len());
    let mut faults = Vec::new();
    for file in &files {
        for (name, rule) in RULES {
            faults.extend(rule(file).into_iter().map(|fault| format!("{}: {name}: {fault}", file.path)));
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
