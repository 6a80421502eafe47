//! Every entry of the fuzzers' corpus, in the functions that the fuzzers call.

use std::{fs, path::Path};

#[path = "../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own there")]
mod targets;

#[test]
fn the_corpus_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let entries: Vec<_> = fs::read_dir(root.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(entries.len() >= 10, "{name} has {} entries", entries.len());
        for path in entries {
            let bytes = fs::read(&path).unwrap();
            assert!(bytes.len() <= 64 << 10, "{} is too large for a corpus", path.display());
            let result = std::panic::catch_unwind(|| target(&bytes));
            assert!(result.is_ok(), "{} breaks {name}", path.display());
        }
    }
}
