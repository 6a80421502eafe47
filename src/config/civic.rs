//! The domain.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DOCKET_CONTACT` | how a city reaches who runs this fleet; part of the user agent | |
//! | `DOCKET_ALLOW_HOSTS` | `host:port`, separated by commas, that may be asked although their address isn't public | |
//! | `DOCKET_SUMMARISER` | `extractive` (no model, no cost) or `openai` (any compatible API) | `extractive` |
//! | `DOCKET_OPENAI_URL` | base address of the API | `https://api.openai.com/v1` |
//! | `DOCKET_OPENAI_MODEL` | model | |
//! | `DOCKET_OPENAI_KEY`, `DOCKET_OPENAI_KEY_FILE` | key; none for a server of your own | |
//! | `DOCKET_PRICES_FILE` | JSON list of prices, in micro-dollars a million tokens, each with its first day and source | |

use super::lookup::{ConfigError, Environment};
use crate::civic::{
    llm::{PriceTable, openai::OpenAiSettings},
    settings::{CivicSettings, SummariserSettings},
    vendor::http::Allowed,
};
use std::time::Duration;

/// Reads the domain's variables.
///
/// # Errors
/// When a value can't be used.
pub fn civic(env: &Environment) -> Result<CivicSettings, ConfigError> {
    let mut settings = CivicSettings::default();
    if let Some(contact) = env.get("DOCKET_CONTACT") {
        if contact.chars().any(char::is_control) {
            return Err(ConfigError::new("DOCKET_CONTACT", "has control characters"));
        }
        settings.http.user_agent = format!("docket/{} (civic meeting index; {contact})", env!("CARGO_PKG_VERSION"));
    }
    for host in env.get("DOCKET_ALLOW_HOSTS").unwrap_or_default().split(',').filter(|host| !host.trim().is_empty()) {
        settings.http.allowed.push(host.parse::<Allowed>().map_err(|e| ConfigError::new("DOCKET_ALLOW_HOSTS", e))?);
    }
    settings.summariser = match env.get("DOCKET_SUMMARISER") {
        None | Some("extractive") => SummariserSettings::Extractive,
        Some("openai") => SummariserSettings::OpenAi(Box::new(openai(env)?)),
        Some(_) => return Err(ConfigError::new("DOCKET_SUMMARISER", "one of extractive, openai")),
    };
    Ok(settings)
}

fn openai(env: &Environment) -> Result<OpenAiSettings, ConfigError> {
    let model = env
        .get("DOCKET_OPENAI_MODEL")
        .ok_or_else(|| ConfigError::new("DOCKET_OPENAI_MODEL", "not set: which model?"))?;
    Ok(OpenAiSettings {
        base_url: env.get("DOCKET_OPENAI_URL").unwrap_or("https://api.openai.com/v1").to_owned(),
        api_key: env.secret("DOCKET_OPENAI_KEY")?,
        model: model.to_owned(),
        timeout: Duration::from_mins(2),
        max_tokens: 1000,
        prices: prices(env)?,
    })
}

fn prices(env: &Environment) -> Result<PriceTable, ConfigError> {
    let name = "DOCKET_PRICES_FILE";
    let path = env.get(name).ok_or_else(|| ConfigError::new(name, "not set: without prices no cost can be told"))?;
    let text = std::fs::read_to_string(path).map_err(|e| ConfigError::new(name, format!("can't read {path}: {e}")))?;
    serde_json::from_str(&text).map_err(|e| ConfigError::new(name, format!("{path} is no price list: {e}")))
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn defaults_cost_nothing_and_ask_no_private_host() {
        let settings = civic(&env(&[])).unwrap();
        assert!(matches!(settings.summariser, SummariserSettings::Extractive));
        assert!(settings.http.allowed.is_empty());
    }

    #[test]
    fn bad_values_are_named() {
        let bad = [
            ("DOCKET_ALLOW_HOSTS", "nohost", "DOCKET_ALLOW_HOSTS"),
            ("DOCKET_SUMMARISER", "magic", "DOCKET_SUMMARISER"),
            ("DOCKET_SUMMARISER", "openai", "DOCKET_OPENAI_MODEL"),
            ("DOCKET_CONTACT", "a\u{1}b", "DOCKET_CONTACT"),
        ];
        for (name, value, named) in bad {
            assert_eq!(civic(&env(&[(name, value)])).expect_err(value).name, named);
        }
    }
}
