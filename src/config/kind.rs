//! What a setting's text may be.

use super::units::{duration, show_duration, show_size, size};
use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};
use url::Url;

/// What a setting's text may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A time with its unit, from one bound to the other.
    Duration(Duration, Duration),
    /// A size with its unit, in bytes.
    Size(u64, u64),
    /// A whole number.
    Count(i64, i64),
    /// `true` or `false`.
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Words, separated by commas; a list in the file.
    List,
    /// An address and a port.
    Address,
    /// A web address without a password.
    Url,
    /// A file.
    Path,
    /// `major.minor`.
    Version,
    /// Anything on one line.
    Text,
    /// What nobody may see: from a variable, or from a file that `<variable>_FILE` names.
    Secret,
}

/// A version as `broker.version` has it.
pub(super) fn version(text: &str) -> Option<(u8, u8)> {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
    Some((number(major)?, number(minor)?))
}

impl Kind {
    /// In words, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Duration(min, max) => format!("time, {} to {}", show_duration(*min), show_duration(*max)),
            Self::Size(min, max) => format!("size, {} to {}", show_size(*min), show_size(*max)),
            Self::Count(min, max) => format!("number, {min} to {max}"),
            Self::Bool => "true or false".to_owned(),
            Self::OneOf(words) => words.join(" or "),
            Self::List => "list".to_owned(),
            Self::Address => "address:port".to_owned(),
            Self::Url => "URL".to_owned(),
            Self::Path => "file".to_owned(),
            Self::Version => "version".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Secret => "secret".to_owned(),
        }
    }

    /// What is wrong with this text; it is quoted only where it can't hold a secret.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        match self {
            Self::Duration(min, max) => {
                let time =
                    duration(text).ok_or("not a time: write a number and its unit, such as 500ms, 30s, 5m or 2h")?;
                inside(&time, min..=max, |time| show_duration(**time))
            }
            Self::Size(min, max) => {
                let bytes = size(text).ok_or("not a size: write a number and its unit, such as 512B, 64KiB or 1MiB")?;
                inside(&bytes, min..=max, |bytes| show_size(**bytes))
            }
            Self::Count(min, max) => {
                let number: i64 = text.parse().map_err(|_| format!("{} is not a whole number", quoted(text)))?;
                inside(&number, min..=max, |number| number.to_string())
            }
            Self::Bool => text.parse::<bool>().map(drop).map_err(|_| format!("{} is not true or false", quoted(text))),
            Self::OneOf(words) if words.contains(&text) => Ok(()),
            Self::OneOf(words) => Err(format!("{} is not one of {}", quoted(text), words.join(", "))),
            Self::Address => text.parse::<SocketAddr>().map(drop).map_err(|_| {
                format!("{} is not an address and port, such as 127.0.0.1:8080 or [::1]:8080", quoted(text))
            }),
            Self::Url => web(text),
            Self::Version => {
                version(text).map(drop).ok_or_else(|| format!("{} is not a version: write it as 3.13", quoted(text)))
            }
            Self::Path | Self::Text | Self::List if text.chars().any(char::is_control) => {
                Err("has control characters".to_owned())
            }
            Self::Path | Self::Text | Self::List | Self::Secret => Ok(()),
        }
    }
}

fn inside<T: PartialOrd>(value: &T, range: RangeInclusive<&T>, show: impl Fn(&&T) -> String) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{} is not from {} to {}", show(&value), show(range.start()), show(range.end())))
}

/// The address is not quoted: it may carry a password, which is what is wrong with it.
fn web(text: &str) -> Result<(), String> {
    let shape = "not a web address, such as https://api.example.org/v1";
    let url = Url::parse(text).map_err(|_| shape)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(shape.to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user or a password in it, which would be shown: keys have settings of their own".to_owned());
    }
    Ok(())
}

/// What a stranger wrote, short and without control characters.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it takes, and what it refuses with which words.
    type Case = (Kind, &'static [&'static str], &'static [(&'static str, &'static str)]);

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_kind_takes_its_own_and_says_what_it_takes() {
        let cases: &[Case] = &[
            (
                Kind::Duration(SECOND, Duration::from_secs(10)),
                &["1s", "1000ms", "10s"],
                &[("0s", "from 1s to 10s"), ("11s", "11s is not"), ("-1s", "30s"), ("5", "unit")],
            ),
            (Kind::Size(1, 1 << 20), &["1B", "1MiB"], &[("0B", "from 1B"), ("2MiB", "to 1MiB"), ("9", "unit")]),
            (
                Kind::Count(1, 9),
                &["1", "9"],
                &[("0", "from 1 to 9"), ("many", "whole"), ("1e3", "whole"), ("", "whole")],
            ),
            (Kind::Bool, &["true", "false"], &[("yes", "true or false")]),
            (Kind::OneOf(&["a", "b"]), &["a"], &[("c", "one of a, b")]),
            (Kind::Address, &["[::1]:0", "127.0.0.1:80"], &[("localhost:80", "127.0.0.1"), ("1.2.3.4", "port")]),
            (
                Kind::Url,
                &["https://a/b", "http://a:1"],
                &[("ftp://a", "web"), ("https://u:p@a", "password"), ("a", "web")],
            ),
            (Kind::Version, &["3", "3.13", "4.2"], &[("3.x", "3.13"), ("999", "3.13"), ("+3", "3.13"), ("", "3.13")]),
            (Kind::Text, &["a b"], &[("a\u{1b}b", "control")]),
        ];
        for (kind, good, bad) in cases {
            for text in *good {
                assert_eq!(kind.check(text), Ok(()), "{kind:?} {text}");
            }
            for (text, word) in *bad {
                let error = kind.check(text).expect_err(text);
                assert!(error.contains(word), "{kind:?} {text}: {error}");
            }
        }
        let error = Kind::Url.check("https://u:hunter2@a").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
