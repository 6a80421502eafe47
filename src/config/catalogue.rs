//! All settings, in the order of the documents.

use super::{civic, connections, fleet, gate, http, log, protocol, setting::Setting, traces, worker};

/// All settings, section by section.
pub fn catalogue() -> impl Iterator<Item = &'static Setting> {
    [
        connections::SETTINGS,
        fleet::SETTINGS,
        protocol::SETTINGS,
        worker::SETTINGS,
        http::SETTINGS,
        gate::SETTINGS,
        log::SETTINGS,
        traces::SETTINGS,
        civic::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// Their sections, in the order in which they first occur.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections = Vec::new();
    for setting in catalogue() {
        let section = section(setting);
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    sections
}

/// The section of a setting.
pub(super) fn section(setting: &Setting) -> &'static str {
    setting.key.split_once('.').map_or(setting.key, |(section, _)| section)
}

/// The setting with this key.
pub(super) fn by_key(key: &str) -> Option<&'static Setting> {
    catalogue().find(|setting| setting.key == key)
}

/// The setting that this variable, or its `_FILE`, belongs to.
pub(super) fn by_variable(name: &str) -> Option<&'static Setting> {
    catalogue().find(|setting| setting.variable == name || setting.file_variable() == name)
}

/// Words about the known name that is most like `name`; none when nothing is.
pub(super) fn suggestion(name: &str, known: impl Iterator<Item = String>) -> String {
    let near = |known: String| (strsim::normalized_damerau_levenshtein(name, &known), known);
    let best = known.map(near).max_by(|(a, _), (b, _)| a.total_cmp(b));
    match best {
        Some((likeness, known)) if likeness > 0.6 => format!("; did you mean {known}?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_given_once_and_every_default_is_allowed() {
        let mut names = BTreeSet::new();
        for setting in catalogue() {
            assert!(setting.key.split('.').count() == 2, "{}", setting.key);
            for name in BTreeSet::from([setting.key.to_owned(), setting.file_key(), setting.file_variable()]) {
                assert!(names.insert(name.clone()), "{name} is given twice");
            }
            let others = ["DATABASE_URL", "AMQP_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"];
            let is_known = setting.variable.starts_with("DOCKET_") || others.contains(&setting.variable);
            assert!(is_known, "{}", setting.variable);
            assert_eq!(setting.default.map_or(Ok(()), |text| setting.kind.check(text)), Ok(()), "{}", setting.key);
            assert!(setting.doc.ends_with('.') && setting.doc.len() > 20, "{}: {}", setting.key, setting.doc);
            assert!(!setting.roles.is_empty(), "{}", setting.key);
        }
        assert!(names.len() > 50);
    }

    #[test]
    fn what_is_like_a_name_is_suggested() {
        let known = || ["fleet.lease", "fleet.grace"].map(str::to_owned).into_iter();
        assert_eq!(suggestion("fleet.leese", known()), "; did you mean fleet.lease?");
        assert_eq!(suggestion("something.else.entirely", known()), "");
        assert_eq!(suggestion("", known()), "");
    }
}
