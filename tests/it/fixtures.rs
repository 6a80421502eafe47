//! Files that tests read: made-up ones from this repository, and recordings of real sources from beside it.

use std::path::{Path, PathBuf};

/// A made-up file, by its path in `tests/fixtures`.
pub(crate) fn made(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The folder of real recordings: `DOCKET_FIXTURES`, else `../shared/fixtures`. None skips the test that asks.
///
/// A folder that is named and missing is an error: who names it wants these tests to run.
pub(crate) fn recordings() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("DOCKET_FIXTURES") {
        let named = PathBuf::from(named);
        assert!(named.is_dir(), "DOCKET_FIXTURES={} is no folder", named.display());
        return Some(named);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    if beside.is_dir() {
        return Some(beside);
    }
    // Past the test harness, which keeps what is printed by tests that pass.
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let warning =
        format!("\n!!! SKIPPED: {name} needs recordings of real sources: set DOCKET_FIXTURES to their folder\n");
    std::io::Write::write_all(&mut std::io::stderr(), warning.as_bytes()).expect("standard error is open");
    None
}
