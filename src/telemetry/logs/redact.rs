//! The last line of defence: what looks like a secret never reaches a log line. The first one is not to log it.

/// What stands in place of a secret.
pub(super) const REDACTED: &str = "[REDACTED]";
/// Longer values are cut: a line is no place for a document.
const MAX_VALUE_BYTES: usize = 2048;
const SECRET_WORDS: [&str; 11] = [
    "password",
    "passwd",
    "token",
    "secret",
    "authorization",
    "apikey",
    "cookie",
    "credential",
    "credentials",
    "bearer",
    "passphrase",
];

/// Whether a field of this name holds a secret: one of its words is on the list, or it ends in `api_key`. Counts such
/// as `input_tokens` are not.
pub(super) fn is_secret_name(name: &str) -> bool {
    let mut words = name.split(['.', '_', '-']).peekable();
    while let Some(word) = words.next() {
        let is = |other: &&str| word.eq_ignore_ascii_case(other);
        let key_follows = |next: &&str| next.eq_ignore_ascii_case("key");
        if SECRET_WORDS.iter().any(is) || (["api", "private"].iter().any(is) && words.peek().is_some_and(key_follows)) {
            return true;
        }
    }
    false
}

/// Whether the text is one short word without an address or a query in it, as most values are: [`redact_text`] would
/// only copy it.
pub(super) fn is_plain(text: &str) -> bool {
    text.len() <= MAX_VALUE_BYTES && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'/' | b'?'))
}

/// The text without the userinfo and the secret parameters of its URLs and without bearer tokens, cut to 2 KiB.
pub(super) fn redact_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_VALUE_BYTES));
    let cut = floor_char_boundary(text, MAX_VALUE_BYTES);
    for (i, word) in text[..cut].split_inclusive(char::is_whitespace).enumerate() {
        let previous_is_bearer = i > 0 && ends_with_bearer(&out);
        if previous_is_bearer && !word.trim().is_empty() {
            out.push_str(REDACTED);
            out.extend(word.chars().filter(|c| c.is_whitespace()));
        } else {
            redact_word(word, &mut out);
        }
    }
    if cut < text.len() {
        out.push('…');
    }
    out
}

fn ends_with_bearer(out: &str) -> bool {
    let trimmed = out.trim_end();
    let start = trimmed.len().saturating_sub("bearer".len());
    trimmed.is_char_boundary(start) && trimmed[start..].eq_ignore_ascii_case("bearer")
}

fn redact_word(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + 3);
        out.push_str(scheme);
        let end = after.find(['/', '?', '#', '"', '\'', '<', '>', ')', ',']).unwrap_or(after.len());
        // A password with a raw slash ends the authority early; what follows still ends in '@' before any query.
        let userinfo = after[..end].rfind('@').or_else(|| raw_userinfo(scheme, after));
        match userinfo {
            Some(i) => {
                out.push_str(REDACTED);
                rest = &after[i..];
            }
            None => rest = after,
        }
    }
    redact_query(rest, out);
}

/// `user:pa/ss@host`: a colon before the first slash, and an '@' later in the word. On the web `host:80/path@x` is an
/// honest address; the URLs of brokers and databases have no '@' in their paths.
fn raw_userinfo(scheme: &str, after: &str) -> Option<usize> {
    let slash = after.find('/')?;
    let colon = after[..slash].rfind(':')?;
    let port = &after[colon + 1..slash];
    let web = scheme.ends_with("http://") || scheme.ends_with("https://");
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if web && is_port { None } else { after.rfind('@') }
}

fn redact_query(text: &str, out: &mut String) {
    let Some(at) = text.find('?') else { return out.push_str(text) };
    out.push_str(&text[..=at]);
    for part in text[at + 1..].split_inclusive('&') {
        match part.split_once('=') {
            Some((name, value)) if name == "key" || is_secret_name(name) => {
                out.push_str(name);
                out.push('=');
                out.push_str(REDACTED);
                let secret = value.trim_end_matches(|c: char| matches!(c, '&' | ')' | '"' | '\'') || c.is_whitespace());
                out.push_str(&value[secret.len()..]);
            }
            _ => out.push_str(part),
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secret_names() {
        for name in
            ["password", "db.password", "API_KEY", "api-key", "access_token", "http.authorization", "set-cookie"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["input_tokens", "token_type_count_s", "key", "hold_key", "secretary", "job.id", "api"] {
            assert_eq!(is_secret_name(name), name.starts_with("token_"), "{name}");
        }
    }

    #[test]
    fn secrets_in_text() {
        let table = [
            ("can't reach amqp://guest:s3cret@host:5672/v now", "can't reach amqp://[REDACTED]@host:5672/v now"),
            ("postgres://u:pa/ss@h/db", "postgres://[REDACTED]@h/db"),
            ("GET https://x.test/a?key=AIza123&page=2", "GET https://x.test/a?key=[REDACTED]&page=2"),
            ("url (https://x.test/a?access_token=abc)", "url (https://x.test/a?access_token=[REDACTED])"),
            ("Authorization: Bearer abc.def ok", "Authorization: Bearer [REDACTED] ok"),
            ("a@b.c wrote https://h.test:80/x@y", "a@b.c wrote https://h.test:80/x@y"),
            ("naïve — nothing here", "naïve — nothing here"),
        ];
        for (text, expected) in table {
            assert_eq!(redact_text(text), expected);
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert!(!is_plain(&"x".repeat(5000)));
        let cut = redact_text(&"é".repeat(5000));
        assert!(cut.len() <= MAX_VALUE_BYTES + "…".len() && cut.ends_with('…'));
    }

    proptest! {
        #[test]
        fn a_password_in_a_url_never_survives(password in "[a-zA-Z0-9/:]{8,20}", before in "[^:/@ ]{0,10}") {
            let text = format!("{before} amqp://user:{password}x@host/vhost");
            let out = redact_text(&text);
            prop_assert!(!out.contains(&password), "{out}");
        }

        #[test]
        fn a_plain_text_would_stay_as_it_is(
            text in "[!-~]{0,9}|[a-z:/?@=. é]{0,30}|(token=|://|\\?key=|@|x)*|(bearer|x| ){3,6}",
        ) {
            prop_assert!(!is_plain(&text) || redact_text(&text) == text, "{text}");
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = redact_text(&text);
        }
    }
}
