//! Who may ask what.
//!
//! | listens on | tokens | `/livez` `/readyz` | `/metrics` | `/api` |
//! |---|---|---|---|---|
//! | loopback | none | open | open | open to programs of this machine, not to pages of other sites |
//! | any | some | open | token, or open by `metrics_open` | token; anything but reading needs an operator's |
//! | any other | none | the process refuses to start | | |

use super::{
    Caller, HttpSettings, Problem, Role, ServeError, Token,
    origin::Origins,
    tokens::{TOKENS_MAX, hash},
};
use hyper::{HeaderMap, Method, header::AUTHORIZATION};
use secrecy::ExposeSecret;
use std::{collections::HashSet, sync::Arc};
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// A shorter token could be guessed: 16 random characters can't.
pub const TOKEN_MIN_BYTES: usize = 16;

/// Name of the token that is no entry of a file.
const DEFAULT: &str = "default";

/// The rule for one listener. It keeps the tokens' hashes, not the tokens.
#[derive(Clone)]
pub(super) struct Access {
    guard: Guard,
    metrics_open: bool,
}

#[derive(Clone)]
enum Guard {
    /// By token; at least one.
    Tokens(Arc<[([u8; 32], Caller)]>),
    /// By being a program of this machine.
    Local(Caller, Origins),
}

impl Access {
    /// Refuses settings that would open the process to a network.
    pub(super) fn of(settings: &HttpSettings) -> Result<Self, ServeError> {
        let mut tokens = settings.tokens.clone();
        if let Some(secret) = &settings.token {
            if secret.expose_secret().len() < TOKEN_MIN_BYTES {
                return Err(ServeError::WeakToken);
            }
            tokens.push(Token::of_secret(DEFAULT, Role::Admin, secret));
        }
        let mut names = HashSet::new();
        if let Some(twice) = tokens.iter().find(|token| !names.insert(token.name())) {
            return Err(ServeError::TokenTwice(twice.name().to_owned()));
        }
        if tokens.len() > TOKENS_MAX {
            return Err(ServeError::ManyTokens);
        }
        let caller = |token: &Token| Caller::new(token.name(), token.role(), settings.rates);
        let guard = if !tokens.is_empty() {
            Guard::Tokens(tokens.iter().map(|token| (*token.sha256(), caller(token))).collect())
        } else if settings.addr.ip().to_canonical().is_loopback() {
            Guard::Local(Caller::new("local", Role::Admin, settings.rates), Origins::new(&settings.hosts))
        } else {
            return Err(ServeError::Unguarded(settings.addr));
        };
        Ok(Self { guard, metrics_open: settings.metrics_open })
    }

    /// Whether this request may go on, and on whose behalf. None: the path is open to everyone.
    pub(super) fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        if matches!(path, "/livez" | "/readyz") || (path == "/metrics" && self.metrics_open) {
            return Ok(None);
        }
        let is_api = path == "/api" || path.starts_with("/api/");
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let caller = match &self.guard {
            Guard::Tokens(tokens) => who(tokens, headers).ok_or_else(Problem::unauthorized)?,
            Guard::Local(caller, origins) => {
                if is_api {
                    origins.check(reads, headers)?;
                }
                caller.clone()
            }
        };
        if is_api {
            caller.request()?;
            if !reads {
                caller.needs(Role::Operator, "anything but reading")?;
            }
        }
        Ok(Some(caller))
    }
}

/// The holder of the token. All are compared, and none is a reason to stop: the time tells nothing of which it was.
fn who(tokens: &[([u8; 32], Caller)], headers: &HeaderMap) -> Option<Caller> {
    let given = hash(bearer(headers)?);
    let mut found = u32::MAX;
    for (number, (sha256, _)) in (0..).zip(tokens) {
        found.conditional_assign(&number, given.ct_eq(sha256));
    }
    tokens.get(found as usize).map(|(_, caller)| caller.clone())
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests;
