//! The difference between what is there and what the files make.

use super::catalogue::Catalogue;
use serde::Serialize;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// What it is about: `column`, `index`, `constraint`, `trigger`, `function`, `grant` and so on.
    pub object: String,
    /// Its name, with its table.
    pub name: String,
    /// How it differs.
    pub kind: DriftKind,
    /// As it should be, if it should be there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// As it is, if it is there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub found: String,
}

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// It isn't there.
    Missing,
    /// It is there and should not be: it belongs to a table of Docket's.
    Extra,
    /// It is something else.
    Changed,
    /// Somebody else's: a table of another program, a right that a role was given. No fault.
    Foreign,
}

/// Compares.
pub(super) fn compare(expected: &Catalogue, found: &Catalogue) -> Vec<Drift> {
    let drift = |key: &(String, String), kind, expected: &str, found: &str| Drift {
        object: key.0.clone(),
        name: key.1.clone(),
        kind,
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    let mut all: Vec<Drift> = expected
        .iter()
        .filter_map(|(key, entry)| match found.get(key) {
            None => Some(drift(key, DriftKind::Missing, &entry.definition, "")),
            Some(is) if is.definition != entry.definition => {
                Some(drift(key, DriftKind::Changed, &entry.definition, &is.definition))
            }
            Some(_) => None,
        })
        .collect();
    let ours = |table: &str| expected.contains_key(&("table".to_owned(), table.to_owned()));
    for (key, entry) in found.iter().filter(|(key, _)| !expected.contains_key(*key)) {
        match key.0.as_str() {
            "grant" if !key.1.ends_with(" to public") => {
                all.push(drift(key, DriftKind::Foreign, "", &entry.definition))
            }
            "column" | "index" | "constraint" | "trigger" | "grant" if ours(&entry.table) => {
                all.push(drift(key, DriftKind::Extra, "", &entry.definition));
            }
            "table" | "view" | "function" | "sequence" | "type" => {
                all.push(drift(key, DriftKind::Foreign, "", &entry.definition));
            }
            // A part of a table that isn't Docket's: the table is named already.
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{super::catalogue::Entry, *};

    fn catalogue(entries: &[(&str, &str, &str, &str)]) -> Catalogue {
        let entry = |(kind, table, name, definition): &(&str, &str, &str, &str)| {
            let entry = Entry { table: (*table).to_owned(), definition: (*definition).to_owned() };
            (((*kind).to_owned(), (*name).to_owned()), entry)
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn each_difference_has_its_kind() {
        let expected = catalogue(&[
            ("table", "jobs", "jobs", "r"),
            ("index", "jobs", "jobs.due", "a"),
            ("column", "jobs", "jobs.id", "bigint"),
        ]);
        let found = catalogue(&[
            ("table", "jobs", "jobs", "r"),
            ("column", "jobs", "jobs.id", "int"),
            ("index", "jobs", "jobs.slow", "b"),
            ("table", "other", "other", "r"),
            ("index", "other", "other.i", "c"),
            ("grant", "jobs", "jobs: select to reader", ""),
            ("grant", "jobs", "jobs: select to public", ""),
        ]);
        let said: Vec<(String, DriftKind)> = compare(&expected, &found).into_iter().map(|d| (d.name, d.kind)).collect();
        let expected = [
            ("jobs.id", DriftKind::Changed),
            ("jobs.due", DriftKind::Missing),
            ("jobs: select to public", DriftKind::Extra),
            ("jobs: select to reader", DriftKind::Foreign),
            ("jobs.slow", DriftKind::Extra),
            ("other", DriftKind::Foreign),
        ];
        assert_eq!(said, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }
}
