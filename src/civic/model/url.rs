//! An address of the web that is safe to store, to show and to ask later.

use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

/// Longest address that is kept: browsers and servers agree on less.
const MAX_LEN: usize = 2_048;

/// An absolute http or https address without user name and password.
///
/// It says nothing of whether the address may be asked: the HTTP client decides that at each request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebUrl(String);

/// Why text is no [`WebUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// No scheme: a path or a bare file name.
    #[error("the address is relative")]
    Relative,
    /// A scheme such as `javascript:`, `file:` or `mailto:`.
    #[error("the address is neither http nor https")]
    Scheme,
    /// A user name or password inside.
    #[error("the address holds a user name or password")]
    Credentials,
    /// Longer than 2,048 bytes.
    #[error("the address is longer than {MAX_LEN} bytes")]
    TooLong,
    /// Not an address.
    #[error("the address can't be read")]
    Malformed,
}

impl WebUrl {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// When it is relative, of another scheme, too long, unreadable, or holds credentials.
    pub fn parse(text: &str) -> Result<Self, UrlRefused> {
        if text.len() > MAX_LEN {
            return Err(UrlRefused::TooLong);
        }
        let url = Url::parse(text.trim()).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => UrlRefused::Relative,
            _ => UrlRefused::Malformed,
        })?;
        Self::from_url(&url)
    }

    /// Reads an address that may be relative to `base`.
    ///
    /// # Errors
    /// As [`WebUrl::parse`].
    pub fn join(base: &Self, text: &str) -> Result<Self, UrlRefused> {
        if text.len() > MAX_LEN {
            return Err(UrlRefused::TooLong);
        }
        let base = Url::parse(&base.0).map_err(|_| UrlRefused::Malformed)?;
        Self::from_url(&base.join(text.trim()).map_err(|_| UrlRefused::Malformed)?)
    }

    fn from_url(url: &Url) -> Result<Self, UrlRefused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlRefused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::Credentials);
        }
        if url.as_str().len() > MAX_LEN {
            return Err(UrlRefused::TooLong);
        }
        Ok(Self(url.as_str().to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for WebUrl {
    type Err = UrlRefused;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for WebUrl {
    type Error = UrlRefused;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<WebUrl> for String {
    fn from(url: WebUrl) -> Self {
        url.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_web_address_is_refused_with_its_reason() {
        for (text, why) in [
            ("agenda.pdf", UrlRefused::Relative),
            ("/agenda.pdf", UrlRefused::Relative),
            ("", UrlRefused::Relative),
            ("javascript:alert(1)", UrlRefused::Scheme),
            (" JavaScript:alert(1)", UrlRefused::Scheme),
            ("file:///etc/passwd", UrlRefused::Scheme),
            ("https://user:pw@city.example/a.pdf", UrlRefused::Credentials),
            ("https://", UrlRefused::Malformed),
        ] {
            assert_eq!(WebUrl::parse(text), Err(why), "{text}");
        }
        assert_eq!(WebUrl::parse(&format!("https://city.example/{}", "a".repeat(3_000))), Err(UrlRefused::TooLong));
    }

    #[test]
    fn a_relative_address_needs_its_base() {
        let base = WebUrl::parse("https://city.example/attachments/").unwrap();
        let joined = WebUrl::join(&base, "a b.pdf").unwrap();
        assert_eq!(joined.as_str(), "https://city.example/attachments/a%20b.pdf");
        assert_eq!(WebUrl::join(&base, "file:///etc/passwd"), Err(UrlRefused::Scheme));
    }
}
