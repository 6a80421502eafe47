//! RabbitMQ's patterns of names: in policies and in users' rights.

use regex::{Regex, RegexBuilder};

/// A pattern that needs more than this is none of names.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// A pattern, if it can be evaluated here.
///
/// RabbitMQ speaks PCRE. What Rust does not know of it (looking ahead and back, references) is told, not guessed.
pub(super) struct Pattern(Option<Regex>);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        // RabbitMQ reads the empty pattern of a right as "nothing".
        let text = if text.is_empty() { "^$" } else { text };
        Self(RegexBuilder::new(text).size_limit(MAX_COMPILED_BYTES).unicode(true).build().ok())
    }

    /// `None`: the pattern can't be evaluated here.
    pub(super) fn matches(&self, name: &str) -> Option<bool> {
        self.0.as_ref().map(|regex| regex.is_match(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_search_as_rabbitmq_does() {
        let of = |text: &str| Pattern::new(text).matches("docket.default.high");
        assert_eq!(
            [of(""), of(".*"), of("default"), of("^default"), of(r"\.high$")],
            [false, true, true, false, true].map(Some)
        );
        assert_eq!([of("^(?!docket)"), of("["), of("(x{1000}){1000}")], [None; 3]);
    }
}
