//! The file: where it is looked for, and what stands in it, by variables' names. A secret may stand in it by mistake, so
//! its text is quoted in an error only where it is the value of a setting that holds none.

use super::{
    catalogue::{by_key, catalogue, suggestion},
    kind::{Kind, quoted},
    lookup::ConfigError,
    setting::Setting,
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

/// Where it is looked for when none is named.
pub(super) const PLACES: [&str; 2] = ["docket.toml", "/etc/docket/docket.toml"];
/// Named as the file, it says that there is none.
pub(super) const NONE: &str = "none";

/// So many lines that are no TOML are told: more say that it is another file.
const MAX_FAULTS: usize = 10;

/// The first of `places` where something is, whatever it is: a file that can't be read must not be passed over.
pub(super) fn find(places: &[&str]) -> Option<PathBuf> {
    let is_there = |place: &&&str| match std::fs::symlink_metadata(place) {
        Ok(_) => true,
        Err(e) => !matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory),
    };
    places.iter().find(is_there).map(PathBuf::from)
}

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) variable: String,
    pub(super) text: String,
    pub(super) line: usize,
}

/// What a file says, and what is wrong with it, in the order of its lines.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<ConfigError>,
}

/// Reads the text of a file. `path` is for the errors.
pub(super) fn parse(path: &Path, text: &str) -> Parsed {
    let line_of = |span: Range<usize>| 1 + text.as_bytes().iter().take(span.start).filter(|b| **b == b'\n').count();
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let line = line_of(error.span().unwrap_or_default());
        // After the first fault of a line the parser guesses.
        if problems.len() < MAX_FAULTS && problems.iter().all(|(told, _)| *told != line) {
            problems.push((line, ConfigError::new(format!("{}:{line}", path.display()), error.message())));
        }
    }
    // What a broken file seems to say is nothing to judge.
    let whole = problems.is_empty();
    for (key, value, span) in leaves(table.get_ref()).into_iter().filter(|_| whole) {
        let line = line_of(span);
        match take(&key, value) {
            Ok((variable, text)) => entries.push(Entry { variable, text, line }),
            Err(problem) => {
                let shown: String = key.chars().take(80).flat_map(char::escape_debug).collect();
                let name = format!("{}:{line}: {shown}", path.display());
                problems.push((line, ConfigError::new(name, problem)));
            }
        }
    }
    problems.sort_by_key(|(line, _)| *line);
    entries.sort_by_key(|entry| entry.line);
    Parsed { entries, problems: problems.into_iter().map(|(_, problem)| problem).collect() }
}

/// Every value of a section, and whatever stands outside of one, with its whole key.
fn leaves<'a>(table: &'a DeTable<'_>) -> Vec<(String, &'a DeValue<'a>, Range<usize>)> {
    let mut found = Vec::new();
    for (section, value) in table {
        let DeValue::Table(inside) = value.get_ref() else {
            found.push((section.get_ref().to_string(), value.get_ref(), section.span()));
            continue;
        };
        found.extend(
            inside.iter().map(|(name, value)| {
                (format!("{}.{}", section.get_ref(), name.get_ref()), value.get_ref(), name.span())
            }),
        );
    }
    found
}

fn take(key: &str, value: &DeValue<'_>) -> Result<(String, String), String> {
    if let Some(setting) = by_key(key).filter(|setting| setting.is_secret()) {
        return Err(no_secrets(setting));
    }
    let setting = catalogue().find(|setting| setting.file_key() == key).ok_or_else(|| unknown(key))?;
    let kind = if setting.is_secret() { &Kind::Path } else { &setting.kind };
    let text = text(kind, value)?;
    if text.trim().is_empty() {
        return Err("is empty: leave the line out to have the default".to_owned());
    }
    kind.check(&text)?;
    Ok((setting.file_variable(), text))
}

fn no_secrets(setting: &Setting) -> String {
    format!(
        "no secret may stand in this file: put it into a file of its own that only docket can read, and name that with \
         {}; or set {}",
        setting.file_key(),
        setting.variable
    )
}

/// Words about a key that there isn't.
pub(super) fn unknown(key: &str) -> String {
    // `lease` alone, or below the wrong section, is like `fleet.lease` for people.
    let name = key.rsplit('.').next().unwrap_or(key);
    let same_name = catalogue().map(Setting::file_key).find(|known| known.rsplit('.').next() == Some(name));
    let hint = match same_name {
        Some(known) => format!("; did you mean {known}?"),
        None => suggestion(key, catalogue().map(Setting::file_key)),
    };
    format!("no such setting{hint}")
}

/// The value as a variable would have it.
fn text(kind: &Kind, value: &DeValue<'_>) -> Result<String, String> {
    match (kind, value) {
        (Kind::Count(..), DeValue::Integer(number)) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "is too large a number".to_owned()),
        (Kind::Bool, DeValue::Boolean(yes)) => Ok(yes.to_string()),
        (Kind::List, DeValue::Array(items)) => list(items.iter().map(|item| item.get_ref())),
        (Kind::Count(..) | Kind::Bool | Kind::List, other) => Err(mismatch(kind, other)),
        (_, DeValue::String(text)) => Ok(text.to_string()),
        (Kind::Duration(..), DeValue::Integer(_) | DeValue::Float(_)) => {
            Err("a number without a unit: write it in quotes, such as \"500ms\", \"30s\", \"5m\" or \"2h\"".to_owned())
        }
        (Kind::Size(..), DeValue::Integer(_) | DeValue::Float(_)) => {
            Err("a number without a unit: write it in quotes, such as \"512B\", \"64KiB\" or \"1MiB\"".to_owned())
        }
        (Kind::Version, DeValue::Integer(_) | DeValue::Float(_)) => {
            Err("a version is no number: write it in quotes, such as \"3.13\"".to_owned())
        }
        (_, other) => Err(mismatch(kind, other)),
    }
}

fn list<'a>(items: impl Iterator<Item = &'a DeValue<'a>>) -> Result<String, String> {
    let word = |item: &'a DeValue<'a>| match item {
        DeValue::String(word) if !word.contains(',') && !word.trim().is_empty() => Ok(word.trim()),
        DeValue::String(word) => Err(format!("{} is no word for a list: it is empty or has a comma", quoted(word))),
        other => Err(format!("{} stands in a list of words: put it in quotes", name_of(other))),
    };
    Ok(items.map(word).collect::<Result<Vec<_>, _>>()?.join(","))
}

fn mismatch(kind: &Kind, value: &DeValue<'_>) -> String {
    let (needed, hint) = match kind {
        Kind::Count(..) => ("a number", ", without quotes"),
        Kind::Bool => ("true or false", ", without quotes"),
        Kind::List => ("a list", ", such as [\"default\", \"slow\"]"),
        _ => ("a text", ", in quotes"),
    };
    format!("is {}: {needed} is needed{hint}", name_of(value))
}

fn name_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        parse(Path::new("f"), text).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_become_what_a_variable_would_hold() {
        let text = "[fleet]\nlease = \"20s\"\nlanes = [\"fast\", \"slow\"]\nbatch = 1_000\n\n[http]\nmetrics_open = true\n\
                    token_file = \"/run/token\"\nbody = \"64KiB\"\n[broker]\nversion = \"4.2\"\n[worker]\nslots = 0x10\n";
        let parsed = parse(Path::new("f"), text);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let found: Vec<_> = parsed.entries.iter().map(|e| (e.variable.as_str(), e.text.as_str(), e.line)).collect();
        let expected = [
            ("DOCKET_LEASE", "20s", 2),
            ("DOCKET_LANES", "fast,slow", 3),
            ("DOCKET_BATCH", "1000", 4),
            ("DOCKET_METRICS_OPEN", "true", 7),
            ("DOCKET_HTTP_TOKEN_FILE", "/run/token", 8),
            ("DOCKET_HTTP_BODY", "64KiB", 9),
            ("DOCKET_BROKER_VERSION", "4.2", 11),
            ("DOCKET_SLOTS", "16", 13),
        ];
        assert_eq!(found, expected);
        assert!(parse(Path::new("f"), "").entries.is_empty() && problems("").is_empty());
        assert!(problems("fleet.lease = \"20s\"\n").is_empty(), "a dotted key is a section too");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_would_be_right() {
        let cases = [
            ("[fleet]\nleese = \"20s\"", "f:2: fleet.leese: no such setting; did you mean fleet.lease?"),
            ("lease = \"20s\"", "f:1: lease: no such setting; did you mean fleet.lease?"),
            ("[worker]\nlease = \"20s\"", "did you mean fleet.lease?"),
            ("[nonsense]\nxyzzy = 1", "f:2: nonsense.xyzzy: no such setting"),
            ("[fleet]\nlease = 20", "f:2: fleet.lease: a number without a unit"),
            ("[fleet]\nlease = \"20\"", "unit"),
            ("[fleet]\nlease = \"-20s\"", "unit"),
            ("[fleet]\nlease = true", "in quotes"),
            ("[fleet.lease]\na = 1", "is a section"),
            ("[fleet]\nbatch = \"9\"", "without quotes"),
            ("[fleet]\nbatch = 0", "from 1 to 10000"),
            ("[fleet]\nbatch = -5", "from 1 to 10000"),
            ("[fleet]\nbatch = 99999999999999999999", "too large"),
            ("[fleet]\nbatch = 1.5", "is a number: a number is needed"),
            ("[fleet]\nlanes = \"a\"", "[\"default\", \"slow\"]"),
            ("[fleet]\nlanes = [1]", "quotes"),
            ("[fleet]\nlanes = [\"a,b\"]", "comma"),
            ("[fleet]\nlanes = []", "is empty"),
            ("[http]\nbody = 65536", "64KiB"),
            ("[http]\nmetrics_open = \"true\"", "without quotes"),
            ("[http]\naddr = 8080", "in quotes"),
            ("[http]\naddr = \"localhost\"", "127.0.0.1:8080"),
            ("[broker]\nversion = 3.13", "\"3.13\""),
            ("[log]\nformat = 1979-05-27", "is a date"),
            ("[log]\nformat = \"\"", "leave the line out"),
            ("[fleet]\nlease = \"20s\"\nlease = \"30s\"", "f:3: duplicate key"),
            ("[fleet]\nlease = ", "f:2: "),
        ];
        for (text, words) in cases {
            let found = problems(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains(words), "{text}: {found:?}");
        }
    }

    #[test]
    fn all_problems_come_in_the_order_of_lines() {
        let found = problems("[worker]\nslots = 0\n[fleet]\nlease = 1\nx = 1\n");
        assert_eq!(found.iter().map(|line| &line[..3]).collect::<Vec<_>>(), ["f:2", "f:4", "f:5"]);
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_never_shown() {
        for text in [
            "[database]\nurl = \"postgres://u:hunter2@h/d\"",
            "[broker]\nurl = \"hunter2\"",
            "[http]\ntoken = [\"hunter2\"]",
            "[http]\ntoken = \"hunter2",
            "[http]\ntokn = \"hunter2\"",
            "[http]\ntoken_file = [\"hunter2\"]",
            "[openai]\nurl = \"https://u:hunter2@h\"",
            "hunter2",
        ] {
            let found = problems(text);
            assert!(!found.is_empty(), "{text}");
            assert!(text == "hunter2" || !format!("{found:?}").contains("hunter2"), "{found:?}");
        }
        assert!(problems("[http]\ntoken = \"x\"")[0].contains("http.token_file"));
    }

    #[test]
    fn deep_and_long_files_get_an_answer() {
        let deep = [
            format!("a = {}", "[".repeat(30_000)),
            format!("a = {}{}", "[".repeat(30_000), "]".repeat(30_000)),
            format!("{} = 1", vec!["a"; 30_000].join(".")),
            format!("[{}]", vec!["a"; 30_000].join(".")),
            "a = {b = ".repeat(6_000),
            "[[a]]\n".repeat(10_000),
            "\u{0}".repeat(1000),
        ];
        for text in deep {
            assert!(!problems(&text).is_empty(), "{}", &text[..20]);
        }
    }

    #[test]
    fn the_first_place_that_holds_anything_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let (file, folder, gone) = (place("a"), place("b"), place("c"));
        std::fs::write(&file, "").unwrap();
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(find(&[&gone, &file]), Some(file.clone().into()));
        assert_eq!(find(&[&folder, &file]), Some(folder.into()), "a folder is not passed over: it is an error");
        assert_eq!(find(&[&gone, &format!("{file}/x")]), None);
    }
}
