//! File numbers as they are compared.

/// What clerks put between the parts of a file number.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || "-_./#:,()‐‑‒–—−".contains(c)
}

/// A file number in its one spelling; none: there is neither a letter nor a digit in it.
///
/// `CB 120736`, `cb-120736` and `CB120736` are one file. A separator between two digits stays: `25-0147` is not `250147`.
/// The migration of version 15 does the same in SQL.
#[must_use]
pub fn file_key(file: &str) -> Option<String> {
    let upper = file.to_uppercase();
    let mut key = String::with_capacity(upper.len());
    for part in upper.split(is_separator).filter(|part| !part.is_empty()) {
        let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        if !key.is_empty() && is_digit(key.chars().last()) == is_digit(part.chars().next()) {
            key.push('-');
        }
        key.push_str(part);
    }
    key.chars().any(char::is_alphanumeric).then_some(key)
}

/// A coarser spelling, for the audit only: what is written `No. 25-0147` here and `25-147` there is worth a look.
pub(super) fn coarse(file: &str) -> String {
    let mut runs: Vec<String> = Vec::new();
    let mut last = None;
    for c in file.to_uppercase().chars() {
        let class = c.is_alphanumeric().then(|| c.is_ascii_digit());
        match class {
            Some(_) if class == last => runs.last_mut().expect("a class was seen").push(c),
            Some(_) => runs.push(c.to_string()),
            None => {}
        }
        last = class;
    }
    let bare = |run: &String| match run.trim_start_matches('0') {
        "" => run.clone(),
        bare if run.starts_with('0') => bare.to_owned(),
        _ => run.clone(),
    };
    let runs: Vec<String> = runs.iter().map(bare).filter(|run| !["NO", "NUMBER", "FILE"].contains(&&**run)).collect();
    runs.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_file_and_files_that_only_look_alike() {
        for spelling in ["CB 120736", "cb  120736", " CB-120736", "CB120736", "CB\u{2013}120736", "(CB) #120736."] {
            assert_eq!(file_key(spelling).as_deref(), Some("CB120736"), "{spelling}");
        }
        for (one, other) in [("25-0147", "250147"), ("25-0147", "2-50147"), ("A 12", "A 13"), ("RES 1-2", "RES 12")] {
            assert_ne!(file_key(one), file_key(other), "{one} {other}");
        }
        for none in ["", " - ", "#", "()"] {
            assert_eq!(file_key(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_coarse_spelling_drops_zeros_and_the_word_number() {
        assert_eq!(coarse("Res. No. 25-0147"), coarse("RES 25-147"));
        assert_ne!(coarse("25-0147"), coarse("250147"));
        assert_eq!(coarse("0"), "0");
    }

    proptest! {
        #[test]
        fn a_file_number_in_any_spelling_is_one_file(
            letters in "[A-Z]{1,4}", year in "[0-9]{2,4}", number in "[0-9]{1,6}",
            a in "[ ./#:_-]{1,3}", b in "[ ./#:_-]{1,3}", lower in any::<bool>(),
        ) {
            let spelled = format!("{a}{letters}{b}{year}{a}{number}{b}");
            let spelled = if lower { spelled.to_lowercase() } else { spelled };
            prop_assert_eq!(file_key(&spelled), file_key(&format!("{letters} {year}-{number}")));
        }

        #[test]
        fn no_digit_and_no_border_between_numbers_is_lost(a in "[0-9]{1,6}", b in "[0-9]{1,6}", c in "[0-9]{1,6}") {
            let key = file_key(&format!("{a}-{b}")).unwrap();
            prop_assert_eq!(&key, &format!("{a}-{b}"));
            prop_assert_ne!(&key, &file_key(&c).unwrap());
        }

        #[test]
        fn it_is_its_own_spelling(text in ".{0,40}") {
            if let Some(key) = file_key(&text) {
                prop_assert_eq!(file_key(&key), Some(key));
            }
        }
    }
}
