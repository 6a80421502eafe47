//! The file of tokens that `DOCKET_HTTP_TOKENS_FILE` names: TOML, at most 64 KiB, for its owner and group only.
//!
//! ```toml
//! [[token]]
//! name = "ci"
//! role = "operator"
//! sha256 = "…"   # printed by: docket token new --name ci --role operator
//! ```

use super::{lookup::ConfigError, regular};
use crate::http::{TOKENS_MAX, Token};
use serde::Deserialize;
use std::path::Path;

const NAME: &str = "DOCKET_HTTP_TOKENS_FILE";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    role: String,
    sha256: String,
}

/// The tokens of a file. Errors never quote it: a token in clear may have slipped in.
pub(super) fn tokens(path: &str) -> Result<Vec<Token>, ConfigError> {
    let refuse = |problem: String| ConfigError::new(NAME, problem);
    let text = regular::private(Path::new(path)).map_err(refuse)?;
    let file: Tokens = toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(0, |span| span.start);
        refuse(format!("{path} is no list of tokens, see byte {line}: each is [[token]] with name, role and sha256"))
    })?;
    if file.token.is_empty() || file.token.len() > TOKENS_MAX {
        return Err(refuse(format!("{path} has {} tokens, 1 to {TOKENS_MAX} can be", file.token.len())));
    }
    let mut tokens: Vec<Token> = Vec::with_capacity(file.token.len());
    for (number, entry) in (1..).zip(file.token) {
        let at = |problem: &dyn std::fmt::Display| refuse(format!("{path}, token {number}: {problem}"));
        let role = entry.role.parse().map_err(|e| at(&e))?;
        let token = Token::new(&entry.name, role, &entry.sha256).map_err(|e| at(&e))?;
        let same = tokens.iter().find(|other| other.name() == token.name() || other.sha256_hex() == token.sha256_hex());
        if let Some(other) = same {
            return Err(at(&format!("{:?} has the same name or hash; each token is its own", other.name())));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Role;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn read(text: &str, mode: u32) -> Result<Vec<Token>, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        tokens(path.to_str().unwrap())
    }

    fn entry(name: &str, role: &str, digit: char) -> String {
        format!("[[token]]\nname = {name:?}\nrole = {role:?}\nsha256 = {:?}\n", digit.to_string().repeat(64))
    }

    #[test]
    fn entries_become_tokens() {
        let two = entry("ci", "operator", 'a') + &entry("grafana", "viewer", 'b');
        let tokens = read(&two, 0o640).unwrap();
        let told: Vec<(&str, Role)> = tokens.iter().map(|token| (token.name(), token.role())).collect();
        assert_eq!(told, [("ci", Role::Operator), ("grafana", Role::Viewer)]);
    }

    #[test]
    fn a_file_that_the_world_can_use_is_refused() {
        for mode in [0o604, 0o602, 0o644] {
            let error = read(&entry("ci", "operator", 'a'), mode).unwrap_err().to_string();
            assert!(error.contains("DOCKET_HTTP_TOKENS_FILE") && error.contains("chmod o-rwx"), "{error}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_never_quoted() {
        let good = entry("ci", "operator", 'a');
        let secret = "docket_5ec4e7";
        for bad in [
            String::new(),
            "[[token]]".to_owned(),
            "token = 1".to_owned(),
            "\0".to_owned(),
            good.clone() + &good,
            good.clone() + &entry("other", "viewer", 'a'),
            good.clone() + "clear = \"docket_5ec4e7\"",
            good.replace("operator", secret),
            good.replace("\"ci\"", "\"docket_5ec4e7 \""),
            good.replace(&"a".repeat(64), secret),
            good.replace("role = \"operator\"", "role = docket_5ec4e7"),
            (0..300).map(|n| entry(&n.to_string(), "viewer", 'a')).collect(),
            "#".repeat(70_000),
        ] {
            let error = read(&bad, 0o600).unwrap_err().to_string();
            assert!(error.starts_with("DOCKET_HTTP_TOKENS_FILE: ") && !error.contains(secret), "{error}");
        }
        assert!(tokens("/nowhere/at/all").is_err());
        assert!(tokens("/").unwrap_err().to_string().contains("directory"));
    }
}
