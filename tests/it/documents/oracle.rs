//! Real documents, against what another library measured on them.

use crate::fixtures::recordings;
use docket::civic::document::{Extraction, Flag, Limits, extract_file};
use std::path::Path;

/// One row: file, pages, characters, and what is wrong with the document.
struct Row<'a> {
    file: &'a str,
    pages: u32,
    chars: u64,
    needs_password: bool,
    repaired: bool,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().expect("a row of names");
    let column = |name: &str| names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("no column {name}"));
    let (file, pages, chars) = (column("file"), column("pages"), column("nonspace_chars"));
    let (locked, repaired) = (column("needs_password"), column("repaired"));
    lines
        .map(|row| Row {
            file: row[file],
            pages: row[pages].parse().unwrap(),
            chars: row[chars].parse().unwrap(),
            needs_password: row[locked] == "True",
            repaired: row[repaired] == "True",
        })
        .collect()
}

fn complaint(row: &Row<'_>, found: &Extraction) -> Option<String> {
    let off = found.chars.abs_diff(row.chars);
    let as_told = found.pages == row.pages
        && off * 100 <= row.chars
        && found.flags.contains(&Flag::Encrypted) == row.needs_password
        && found.flags.contains(&Flag::Damaged) == row.repaired
        && found.flags.contains(&Flag::NoText) == (row.chars == 0 && !row.needs_password)
        && !found.flags.iter().any(|flag| matches!(flag, Flag::Garbage | Flag::LostText));
    let Extraction { pages, chars, flags, .. } = found;
    (!as_told)
        .then(|| format!("{}: {pages} of {} pages, {chars} of {} chars, {flags:?}", row.file, row.pages, row.chars))
}

#[tokio::test]
async fn every_recorded_document_reads_as_the_oracle_says() {
    let Some(folder) = recordings() else { return };
    let table = std::fs::read_to_string(folder.join("pdf/oracle.tsv")).unwrap();
    let rows = rows(&table);
    assert!(rows.len() >= 20, "only {} documents in the oracle", rows.len());
    let mut complaints = Vec::new();
    for row in &rows {
        let found = extract_file(&folder.join(row.file), &Limits::default()).await.unwrap();
        complaints.extend(complaint(row, &found));
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[tokio::test]
async fn the_oracle_knows_every_document() {
    let Some(folder) = recordings() else { return };
    let table = std::fs::read_to_string(folder.join("pdf/oracle.tsv")).unwrap();
    let known: Vec<_> = rows(&table).iter().map(|row| folder.join(row.file)).collect();
    let unknown: Vec<_> = walk(&folder).into_iter().filter(|path| !known.contains(path)).collect();
    assert!(unknown.is_empty(), "no row for {unknown:?}");
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "pdf") {
                found.push(path);
            }
        }
    }
    found
}
