//! Who may ask what.
//!
//! | listens on | token | `/livez` `/readyz` | `/metrics` | everything else |
//! |---|---|---|---|---|
//! | loopback | none | open | open | open |
//! | any | set | open | token, or open by `metrics_open` | token |
//! | any other | none | the process refuses to start | | |

use super::{HttpSettings, Problem, ServeError};
use hyper::{HeaderMap, header::AUTHORIZATION};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A shorter token could be guessed: 16 random characters can't.
pub const TOKEN_MIN_BYTES: usize = 16;

/// The rule for one listener. It keeps the token's hash, not the token.
#[derive(Clone)]
pub(super) struct Access {
    token: Option<[u8; 32]>,
    metrics_open: bool,
}

impl Access {
    /// Refuses settings that would open the process to a network.
    pub(super) fn of(settings: &HttpSettings) -> Result<Self, ServeError> {
        let token = match &settings.token {
            Some(token) if token.expose_secret().len() < TOKEN_MIN_BYTES => return Err(ServeError::WeakToken),
            Some(token) => Some(hash(token.expose_secret().as_bytes())),
            None if settings.addr.ip().to_canonical().is_loopback() => None,
            None => return Err(ServeError::Unguarded(settings.addr)),
        };
        Ok(Self { token, metrics_open: settings.metrics_open })
    }

    /// Whether this request may go on.
    pub(super) fn check(&self, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = &self.token else { return Ok(()) };
        let open = matches!(path, "/livez" | "/readyz") || (path == "/metrics" && self.metrics_open);
        if open || bearer(headers).is_some_and(|given| bool::from(hash(given).ct_eq(token))) {
            return Ok(());
        }
        Err(Problem::unauthorized())
    }
}

/// Hashes have one length: comparing them in constant time tells nothing of the token's.
fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    const TOKEN: &str = "0123456789abcdef";

    fn access(addr: &str, token: Option<&str>, metrics_open: bool) -> Result<Access, ServeError> {
        let addr = addr.parse().expect("an address");
        Access::of(&HttpSettings { addr, token: token.map(Into::into), metrics_open, ..HttpSettings::default() })
    }

    fn allowed(access: &Access, path: &str, authorization: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
        }
        access.check(path, &headers).is_ok()
    }

    #[test]
    fn the_matrix() {
        let good = format!("Bearer {TOKEN}");
        for (metrics_open, path, without, with) in [
            (false, "/livez", true, true),
            (false, "/readyz", true, true),
            (false, "/metrics", false, true),
            (true, "/metrics", true, true),
            (true, "/api/jobs", false, true),
            (false, "/nowhere", false, true),
        ] {
            let access = access("0.0.0.0:80", Some(TOKEN), metrics_open).expect("guarded");
            assert_eq!(allowed(&access, path, None), without, "{path}");
            assert_eq!(allowed(&access, path, Some(&good)), with, "{path}");
        }
    }

    #[test]
    fn a_wrong_token_is_none() {
        let access = access("127.0.0.1:80", Some(TOKEN), false).expect("guarded");
        let longer = format!("Bearer {TOKEN}0");
        for value in ["", "Bearer", "Bearer ", "Basic 0123456789abcdef", "Bearer 0123456789abcdeF", &longer, TOKEN] {
            assert!(!allowed(&access, "/api/jobs", Some(value)), "{value:?}");
        }
        assert!(allowed(&access, "/api/jobs", Some(&format!("bearer  {TOKEN}"))));
    }

    #[test]
    fn only_loopback_needs_no_token() {
        for addr in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(access(addr, None, false).is_ok(), "{addr}");
        }
        for addr in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "[::ffff:10.0.0.1]:80"] {
            assert!(matches!(access(addr, None, true), Err(ServeError::Unguarded(_))), "{addr}");
        }
        assert!(matches!(access("127.0.0.1:80", Some("short"), false), Err(ServeError::WeakToken)));
    }
}
