//! Text from the web, made fit to store: one line, no markup, nothing invisible.

/// Longest text that is kept of one field, in characters. Titles of ordinances reach some thousands.
pub(super) const MAX_CHARS: usize = 10_000;

/// Names of entities that occur in titles. Numbers are read without a table.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("hellip", '…'),
    ("bull", '•'),
    ("sect", '§'),
    ("eacute", 'é'),
    ("ntilde", 'ñ'),
];

/// Tags that stand within a word or a sentence: they leave no space behind.
const INLINE_TAGS: &[&str] = &["b", "i", "u", "em", "strong", "span", "font", "a", "sup", "sub", "small", "mark", "s"];

/// Removes tags, reads entities, drops what can't be seen, joins white space. May return an empty text.
pub(super) fn clean(raw: &str) -> String {
    tidy(&entities(&without_tags(raw)))
}

/// Drops what can't be seen and joins white space, in text that has no markup.
pub(super) fn tidy(text: &str) -> String {
    let visible: String =
        text.chars().filter(|c| !invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a text: letters and digits that stand together.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Cuts at a character, and says whether it did.
pub(super) fn cut(mut text: String, max_chars: usize) -> (String, bool) {
    match text.char_indices().nth(max_chars) {
        Some((at, _)) => {
            text.truncate(at);
            (text, true)
        }
        None => (text, false),
    }
}

/// A tag starts with a letter, a slash or an exclamation mark: `5 < 7` is text.
fn without_tags(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let (mut rest, mut any_ends) = (raw, true);
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let opens = any_ends && tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        let end = if opens { tag.find('>') } else { None };
        // Where nothing ends one, nothing ends the next: a text of `<a<a<a` is looked through once.
        any_ends &= !opens || end.is_some();
        match end {
            Some(end) => {
                if !inline(&tag[1..end]) {
                    out.push(' ');
                }
                rest = &tag[end + 1..];
            }
            None => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out + rest
}

fn inline(tag: &str) -> bool {
    let tag = tag.trim_start_matches('/');
    let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    INLINE_TAGS.iter().any(|inline| inline.eq_ignore_ascii_case(name))
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        // No entity's name is longer than ten letters here; a far semicolon belongs to the sentence.
        let end = entity.char_indices().take(12).find(|(_, c)| *c == ';').map(|(end, _)| end);
        if let Some((c, end)) = end.and_then(|end| Some((entity_char(&entity[1..end])?, end))) {
            out.push(c);
            rest = &entity[end + 1..];
        } else {
            out.push('&');
            rest = &entity[1..];
        }
    }
    out + rest
}

fn entity_char(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}

/// Zero-width characters, soft hyphens, direction marks, byte order marks.
const fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_and_invisible_characters_go() {
        for (raw, want) in [
            ("\r\n\r\n", ""),
            ("<p>Call&nbsp;to<br/>order</p>\r\n", "Call to order"),
            ("<b>R</b>esolution &amp; <i>Bill</i>", "Resolution & Bill"),
            ("Zero\u{200b}width\u{feff}", "Zerowidth"),
            ("5 < 7 & 8 > 3", "5 < 7 & 8 > 3"),
            ("A &#8212; B &#x2014; C &bogus; D", "A — B — C &bogus; D"),
            ("<script>alert(1)</script>", "alert(1)"),
            ("bell\u{7}\u{1b}[31m", "bell [31m"),
            ("unclosed <b", "unclosed <b"),
        ] {
            assert_eq!(clean(raw), want, "{raw:?}");
        }
    }

    #[test]
    fn a_text_of_openings_is_looked_through_once() {
        // Each of them looked for its end through all the others: hours.
        for opening in ["<", "<a", "<!", "</b ", "a<b "] {
            let text = opening.repeat(1 << 20);
            assert_eq!(clean(&text), text.trim_end(), "{opening}");
        }
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("héé".to_owned(), 2), ("hé".to_owned(), true));
        assert_eq!(cut("hé".to_owned(), 2), ("hé".to_owned(), false));
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_line(raw in "(?s).{0,200}") {
            let text = clean(&raw);
            prop_assert!(!text.chars().any(|c| c.is_control() || invisible(c)), "{:?}", text);
            prop_assert_eq!(text.trim(), text.as_str());
        }
    }
}
