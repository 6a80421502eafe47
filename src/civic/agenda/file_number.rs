//! The number of a file in a title. Careful: a wrong one would join two matters for ever.

use crate::civic::model::ParsedMatter;

/// A file number that a title names, and what kind of file it says it is.
///
/// None where it names several, or only one that it changes or rests on.
#[must_use]
pub fn file_number(title: &str) -> Option<ParsedMatter> {
    let words: Vec<&str> = title.split_whitespace().collect();
    let mut found: Vec<(String, &'static str)> = leading(&words).into_iter().collect();
    for at in 0..words.len() {
        if let Some(file) = named(&words, at).filter(|_| !is_reference(&words[..at]))
            && !found.contains(&file)
        {
            found.push(file);
        }
    }
    let [(file, kind)] = found.as_slice() else { return None };
    Some(ParsedMatter {
        vendor_id: None,
        file: Some(file.clone()),
        name: None,
        kind: Some((*kind).to_owned()),
        status: None,
    })
}

/// `24-0567 Lease`: agendas that are printed by Legistar put the file first.
fn leading(words: &[&str]) -> Option<(String, &'static str)> {
    let (year, number) = words.first()?.split_once('-')?;
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    (digits(year, 2) && digits(number, 4)).then(|| (format!("{year}-{number}"), "File"))
}

/// The name of a kind of file, and its number after it.
fn named(words: &[&str], at: usize) -> Option<(String, &'static str)> {
    let word = |at: usize| words.get(at).map_or("", |word| word.trim_matches(['(', ')', ',', ';', ':', '“', '"']));
    let lower = word(at).to_lowercase();
    let (kind, after) = match lower.as_str() {
        "resolution" | "reso" | "reso." => ("Resolution", at + 1),
        "ordinance" | "ord." => ("Ordinance", at + 1),
        "cb" => ("CB", at + 1),
        "bill" if at > 0 && word(at - 1).eq_ignore_ascii_case("council") => ("CB", at + 1),
        "file" => ("", at + 1),
        _ => return None,
    };
    let next = word(after).to_lowercase();
    let has_sign = matches!(next.as_str(), "no" | "no." | "number" | "#" | "nos." | "id");
    let glued = next.strip_prefix('#').filter(|rest| !rest.is_empty());
    let number = match glued {
        Some(_) => word(after).trim_start_matches('#'),
        None => word(if has_sign { after + 1 } else { after }),
    };
    // "Resolutions Nos. 1 and 2", and "File the report".
    let is_sure = !kind.is_empty() || has_sign || glued.is_some();
    let number = number.trim_end_matches('.');
    (is_sure && next != "nos." && is_number(number)).then(|| {
        let number = number.to_uppercase();
        (if kind.is_empty() { number } else { format!("{kind} {number}") }, if kind.is_empty() { "File" } else { kind })
    })
}

/// Two to fourteen characters with at least two digits, in groups of digits and capitals: `2024-15`, `1234`, `24-0567`.
fn is_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let groups: Vec<&str> = text.split('-').collect();
    let plain = |group: &&str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    (2..=14).contains(&text.len())
        && digits > 1
        && groups.len() < 4
        && groups.iter().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && groups.last().is_some_and(|group| group.bytes().any(|b| b.is_ascii_digit()))
}

/// Words before a number that say that it is another matter's.
fn is_reference(before: &[&str]) -> bool {
    const WORDS: &[&str] = &[
        "amend",
        "amending",
        "amendment",
        "supersed",
        "rescind",
        "repeal",
        "pursuant",
        "accordance",
        "under",
        "modif",
        "extend",
        "stated",
        "provided",
        "authorized",
        "established",
        "required",
        "restat",
        "replac",
        "continu",
    ];
    before.iter().rev().take(5).any(|word| {
        let word = word.to_lowercase();
        WORDS.iter().any(|stem| word.starts_with(stem))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(title: &str) -> Option<String> {
        file_number(title).and_then(|matter| matter.file)
    }

    #[test]
    fn file_numbers_are_found() {
        for (title, want) in [
            ("Adopt Resolution No. 2024-15 on the lease", "Resolution 2024-15"),
            ("RESOLUTION (2019-37) Accept a grant", "Resolution 2019-37"),
            ("Ordinance 1234, first reading", "Ordinance 1234"),
            ("ORDINANCE NO. 298-22 - Waive the reading", "Ordinance 298-22"),
            ("File #: 24-0567 Lease", "24-0567"),
            ("File No. 24-0567 Lease", "24-0567"),
            ("24-0567 Lease of the library", "24-0567"),
            ("CB 120736: an ordinance", "CB 120736"),
            ("Council Bill No. 120736", "CB 120736"),
            ("Resolution 2535 to authorize, as Resolution No. 2535", "Resolution 2535"),
        ] {
            assert_eq!(file(title).as_deref(), Some(want), "{title}");
        }
    }

    #[test]
    fn where_it_is_not_sure_there_is_none() {
        for title in [
            "A resolution of the city council",
            "Adopt Resolution No. 2022-__, a resolution of the council",
            "Amending Resolution No. 2022-44 on salaries",
            "Agreement pursuant to Resolution No. 2021-59",
            "Resolution No. 1001 and Resolution No. 1002",
            "Receive and file the report of 2024",
            "Pursuant to Assembly Bill 361",
            "Ordinance of 12 May",
            "",
        ] {
            assert_eq!(file(title), None, "{title}");
        }
    }
}
