//! The documents name tests as proofs, `path/to/file.rs::name_of_the_test`, and link to each other: both must exist.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every document that the repository shows to people.
fn documents(root: &Path) -> Vec<PathBuf> {
    let folders = ["", "docs", "migrations", "infra"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).into_iter().flatten().flatten());
    files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|e| e == "md")).collect()
}

/// What stands between back quotes and has the form of a test's name: its file, and the function in it.
fn proofs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('`').skip(1).step_by(2).filter_map(|quoted| {
        let (file, name) = quoted.split_once(".rs::")?;
        Some((&quoted[..file.len() + 3], name))
    })
}

/// Targets of links inside the repository, without their anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}

/// Whether the source has a function of this name that is a test: an attribute that ends in `test`, or one of proptest's.
fn has_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    source.match_indices(&head).any(|(at, _)| {
        let before = &source[..at];
        let attributes = before.rsplit_once("\n\n").map_or(before, |(_, last)| last);
        ["#[test]", "#[tokio::test"].iter().any(|mark| attributes.contains(mark))
    })
}

#[test]
fn every_proof_and_every_link_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut proved, mut faults) = (0, Vec::new());
    for document in documents(root) {
        let text = fs::read_to_string(&document).expect("readable");
        let shown = document.strip_prefix(root).expect("below the root").display();
        for (file, name) in proofs(&text) {
            proved += 1;
            let found = fs::read_to_string(root.join(file)).is_ok_and(|source| has_test(&source, name));
            if !found {
                faults.push(format!("{shown}: there is no test {name} in {file}"));
            }
        }
        let folder = document.parent().expect("a file has a folder");
        faults.extend(
            links(&text)
                .filter(|target| !folder.join(target).exists())
                .map(|target| format!("{shown}: nothing is at {target}")),
        );
    }
    assert!(proved > 30, "the documents name {proved} proofs: is this still the form of a proof?");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_proof_that_is_no_test_is_found() {
    let source = "\nfn helper() {}\n\n#[test]\nfn plain() {}\n\n/// Why.\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn slow() {}\n";
    assert!(has_test(source, "plain") && has_test(source, "slow"));
    assert!(!has_test(source, "helper") && !has_test(source, "missing"));
    let text = "see `tests/a.rs::b` and `tests/a.rs`, [there](docs/X.md#y), [out](https://example.org)";
    assert_eq!(proofs(text).collect::<Vec<_>>(), [("tests/a.rs", "b")]);
    assert_eq!(links(text).collect::<Vec<_>>(), ["docs/X.md"]);
}
