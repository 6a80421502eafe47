//! The domain.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    regular,
    setting::{Role, WORKER, settings},
};
use crate::civic::{
    document::Ocr,
    llm::{PriceTable, openai::OpenAiSettings},
    settings::{CivicSettings, SummariserSettings},
    vendor::http::Allowed,
};
use std::{path::Path, time::Duration};

/// A city's listing is enqueued on the command line, and run by workers.
const READERS: &[Role] = &[Role::Worker, Role::Command];

settings! {
    /// How a city reaches who runs this fleet: an address or a page. It is part of the user agent.
    "civic.contact" "DOCKET_CONTACT", Kind::Text, READERS;
    /// `host:port`, separated by commas, that may be asked although their address isn't public. Each is a hole in the wall
    /// that keeps vendors' links away from this network.
    "civic.allow_hosts" "DOCKET_ALLOW_HOSTS", Kind::List, READERS;
    /// Who writes summaries: `extractive` picks sentences, without a model and without cost; `openai` asks any compatible
    /// API.
    "civic.summariser" "DOCKET_SUMMARISER" = "extractive", Kind::OneOf(&["extractive", "openai"]), READERS;
    /// Whether pages without text are read from their image, with tesseract: `on` costs some seconds of a processor for each
    /// such page. Without tesseract it changes nothing; `docket doctor` tells.
    "civic.ocr" "DOCKET_OCR" = "off", Kind::OneOf(&["off", "on"]), READERS;
    /// The languages that tesseract reads, by its own names, joined by `+`: `eng+spa`. Each is a package.
    "civic.ocr_language" "DOCKET_OCR_LANGUAGE" = "eng", Kind::Text, READERS;
    /// Pages of one document that are read from their image, at most. Higher: scans of long packets hold a slot for longer, 90
    /// seconds at most.
    "civic.ocr_max_pages" "DOCKET_OCR_MAX_PAGES" = "20", Kind::Count(1, 1_000), READERS;
    /// A document of a near meeting is asked for anew at most so often, because vendors put other bytes behind the same
    /// address. Shorter: more requests, each of which most sites answer with "not modified".
    "civic.document_recheck" "DOCKET_DOCUMENT_RECHECK" = "6h", Kind::Duration(Duration::from_mins(1), Duration::from_hours(8_760)), WORKER;
    /// Base address of the model's API.
    "openai.url" "DOCKET_OPENAI_URL" = "https://api.openai.com/v1", Kind::Url, WORKER;
    /// The model; needed with `openai`.
    "openai.model" "DOCKET_OPENAI_MODEL", Kind::Text, WORKER;
    /// The API's key; none for a server of your own.
    "openai.key" "DOCKET_OPENAI_KEY", Kind::Secret, WORKER;
    /// JSON list of the model's prices, in micro-dollars a million tokens, each with its first day and source; needed with
    /// `openai`.
    "openai.prices_file" "DOCKET_PRICES_FILE", Kind::Path, WORKER;
}

/// Reads the domain's settings.
///
/// # Errors
/// When a value can't be used.
pub fn civic(env: &Environment) -> Result<CivicSettings, ConfigError> {
    SETTINGS.iter().try_for_each(|setting| env.check(setting))?;
    let mut settings = CivicSettings::default();
    if let Some(contact) = env.get("DOCKET_CONTACT") {
        settings.http.user_agent = format!("docket/{} (civic meeting index; {contact})", env!("CARGO_PKG_VERSION"));
    }
    settings.breaker_open = super::fleet(env)?.protocol.breaker_open;
    settings.http.allowed = allowed(env)?;
    settings.ocr = ocr(env)?;
    settings.document_recheck = env.duration("DOCKET_DOCUMENT_RECHECK", settings.document_recheck)?;
    settings.summariser = match env.get("DOCKET_SUMMARISER") {
        None | Some("extractive") => SummariserSettings::Extractive,
        Some("openai") => SummariserSettings::OpenAi(Box::new(openai(env)?)),
        Some(_) => return Err(ConfigError::new("DOCKET_SUMMARISER", "one of extractive, openai")),
    };
    Ok(settings)
}

/// How pages without text are read; none: they are not. A name of a language is part of a command line: nothing but what
/// tesseract's languages are called.
///
/// # Errors
/// When a value can't be used.
pub fn ocr(env: &Environment) -> Result<Option<Ocr>, ConfigError> {
    let language = env.get("DOCKET_OCR_LANGUAGE").unwrap_or("eng").to_owned();
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !language.split('+').all(is_name) {
        return Err(ConfigError::new("DOCKET_OCR_LANGUAGE", "not names of languages such as eng or eng+spa"));
    }
    let max_pages = env.number("DOCKET_OCR_MAX_PAGES", 20)?;
    match env.get("DOCKET_OCR") {
        None | Some("off") => Ok(None),
        Some("on") => Ok(Some(Ocr { language, max_pages })),
        Some(_) => Err(ConfigError::new("DOCKET_OCR", "one of off, on")),
    }
}

/// Hosts that may be asked although their address isn't public.
pub(super) fn allowed(env: &Environment) -> Result<Vec<Allowed>, ConfigError> {
    let name = "DOCKET_ALLOW_HOSTS";
    env.list(name).map(|host| host.parse().map_err(|e: String| ConfigError::new(name, e))).collect()
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
    let text = regular::text(Path::new(path)).map_err(|problem| ConfigError::new(name, problem))?;
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
            ("DOCKET_OCR_LANGUAGE", "--psm", "DOCKET_OCR_LANGUAGE"),
            ("DOCKET_OCR_LANGUAGE", "../x", "DOCKET_OCR_LANGUAGE"),
            ("DOCKET_SUMMARISER", "openai", "DOCKET_OPENAI_MODEL"),
            ("DOCKET_CONTACT", "a\u{1}b", "DOCKET_CONTACT"),
        ];
        for (name, value, named) in bad {
            assert_eq!(civic(&env(&[(name, value)])).expect_err(value).name, named);
        }
    }
}
