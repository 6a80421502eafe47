//! Tokens and what their holders may do.

use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    fmt::{self, Write},
    str::FromStr,
};

/// Most tokens of a process: each request is compared with all of them.
pub const TOKENS_MAX: usize = 256;
/// Longest name of a token.
pub const TOKEN_NAME_MAX: usize = 64;
/// Says what a string is when it turns up where it should not.
const PREFIX: &str = "docket_";

/// What a token's holder may do; each role may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    Viewer,
    /// Also enqueue, cancel, requeue, discard, pause and resume.
    Operator,
    /// Also priorities above 100, and all dead letters at once.
    Admin,
}

impl Role {
    /// All, from the least.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is no role. It does not repeat the text: a token may have slipped there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of viewer, operator, admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// A token as a process keeps it: by its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    name: String,
    role: Role,
    sha256: [u8; 32],
}

/// Why an entry is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Names appear in events and logs.
    #[error("a name has 1 to {TOKEN_NAME_MAX} characters: letters, digits, '.', '_' and '-'")]
    Name,
    /// Not a hash.
    #[error("sha256 has 64 hexadecimal digits: `docket token new` prints them")]
    Hash,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

impl Token {
    /// The holder of the token with this hash.
    ///
    /// # Errors
    /// When the name or the hash can't be one.
    pub fn new(name: &str, role: Role, sha256: &str) -> Result<Self, TokenError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), role, sha256: from_hex(sha256).ok_or(TokenError::Hash)? })
    }

    /// Makes a new one: the token, which is nowhere else, and what is kept of it.
    ///
    /// # Errors
    /// When the name can't be one.
    ///
    /// # Panics
    /// When the system has no random numbers: then there is no secret to be had.
    pub fn generate(name: &str, role: Role) -> Result<(SecretString, Self), TokenError> {
        check_name(name)?;
        let mut random = [0; 32];
        OsRng.try_fill_bytes(&mut random).expect("the system gives random numbers");
        let secret = SecretString::from(format!("{PREFIX}{}", to_hex(&random)));
        let token = Self::of_secret(name, role, &secret);
        Ok((secret, token))
    }

    pub(super) fn of_secret(name: &str, role: Role, secret: &SecretString) -> Self {
        Self { name: name.to_owned(), role, sha256: hash(secret.expose_secret().as_bytes()) }
    }

    /// Its holder's name, as events tell it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its holder may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Its hash, as the file has it.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        to_hex(&self.sha256)
    }

    pub(super) const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

/// Hashes have one length: comparing them in constant time tells nothing of the token's.
pub(super) fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn check_name(name: &str) -> Result<(), TokenError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > TOKEN_NAME_MAX || !name.chars().all(fits) {
        return Err(TokenError::Name);
    }
    Ok(())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_long_recognisable_and_never_the_same() {
        let (secret, token) = Token::generate("ci", Role::Operator).unwrap();
        let text = secret.expose_secret();
        assert!(text.starts_with("docket_") && text.len() == 7 + 64, "{text}");
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "it fits into a URL: {text}");
        assert_ne!(text, Token::generate("ci", Role::Operator).unwrap().0.expose_secret());
        assert_eq!(Token::new("ci", Role::Operator, &token.sha256_hex()), Ok(token.clone()));
        assert!(!format!("{secret:?} {token:?}").contains(&text[7..]));
    }

    #[test]
    fn entries_that_cant_be_are_refused() {
        let hash = "0".repeat(64);
        for name in ["", "a b", "ä", "a\n", &"x".repeat(65)] {
            assert_eq!(Token::new(name, Role::Viewer, &hash), Err(TokenError::Name), "{name:?}");
        }
        for hash in ["", "docket_x", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Token::new("a", Role::Viewer, hash), Err(TokenError::Hash), "{hash:?}");
        }
        assert_eq!("root".parse::<Role>(), Err(UnknownRole));
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
    }
}
