//! Language models: which, by what prices, within what budgets.

use super::{
    lookup::{ConfigError, Environment},
    regular,
};
use crate::civic::{
    llm::{
        PriceTable, ProviderKind,
        budget::{Budget, Budgets},
        client::{ModelSettings, Thinking},
    },
    settings::{Models, SummariserSettings},
};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use std::{path::Path, sync::Arc, time::Duration};

/// Deadline of one request.
const TIMEOUT: Duration = Duration::from_mins(2);
/// Most tokens of an answer: a summary is some hundred, and some models think within this number.
const MAX_TOKENS: u32 = 2_000;
/// Most models that are asked when the first gives nothing of use: each may cost two calls.
const MAX_OTHERS: usize = 3;

/// Who writes summaries.
pub(super) fn summariser(env: &Environment) -> Result<SummariserSettings, ConfigError> {
    let first = match env.get("DOCKET_SUMMARISER") {
        None | Some("extractive") => return Ok(SummariserSettings::Extractive),
        Some("openai") => ProviderKind::OpenAi,
        Some("gemini") => ProviderKind::Gemini,
        Some(_) => return Err(ConfigError::new("DOCKET_SUMMARISER", "one of extractive, openai, gemini")),
    };
    let name = if first == ProviderKind::Gemini { "DOCKET_GEMINI_MODEL" } else { "DOCKET_OPENAI_MODEL" };
    let model = env.get(name).ok_or_else(|| ConfigError::new(name, "not set: which model?"))?;
    // What is wrong with the models themselves is told first.
    let prices = prices(env);
    let table = Arc::new(prices.clone().unwrap_or_default());
    let mut list = vec![of(env, first, model, &table)?];
    for word in env.list("DOCKET_MODELS") {
        let (provider, model) = other(word)?;
        if list.iter().any(|known: &ModelSettings| known.model == model) {
            return Err(ConfigError::new("DOCKET_MODELS", format!("{model:?} is asked already: name each model once")));
        }
        list.push(of(env, provider, model, &table)?);
    }
    if list.len() > 1 + MAX_OTHERS {
        return Err(ConfigError::new("DOCKET_MODELS", format!("at most {MAX_OTHERS} models besides the first")));
    }
    prices.map(|_| SummariserSettings::Models(Box::new(Models { list })))
}

fn other(word: &str) -> Result<(ProviderKind, &str), ConfigError> {
    match word.split_once(':') {
        Some(("openai", model)) if !model.is_empty() => Ok((ProviderKind::OpenAi, model)),
        Some(("gemini", model)) if !model.is_empty() => Ok((ProviderKind::Gemini, model)),
        _ => Err(ConfigError::new("DOCKET_MODELS", "each is a provider and a model, such as openai:gpt-4.1-mini")),
    }
}

fn of(
    env: &Environment,
    provider: ProviderKind,
    model: &str,
    prices: &Arc<PriceTable>,
) -> Result<ModelSettings, ConfigError> {
    let is_gemini = provider == ProviderKind::Gemini;
    let (url, default) = match is_gemini {
        true => ("DOCKET_GEMINI_URL", "https://generativelanguage.googleapis.com"),
        false => ("DOCKET_OPENAI_URL", "https://api.openai.com/v1"),
    };
    // A model's name is a part of Gemini's addresses, and of no more than one step of them.
    if model.contains(|c: char| {
        c.is_whitespace() || c.is_control() || is_gemini && matches!(c, '/' | '?' | '#' | ':' | '%')
    }) {
        let name = if is_gemini { "DOCKET_GEMINI_MODEL" } else { "DOCKET_OPENAI_MODEL" };
        return Err(ConfigError::new(name, "is no model's name, such as gemini-2.5-flash"));
    }
    Ok(ModelSettings {
        provider,
        base_url: env.get(url).unwrap_or(default).to_owned(),
        api_key: env.secret(if is_gemini { "DOCKET_GEMINI_KEY" } else { "DOCKET_OPENAI_KEY" })?,
        model: model.to_owned(),
        timeout: TIMEOUT,
        max_tokens: MAX_TOKENS,
        thinking: if is_gemini { thinking(env)? } else { Thinking::Default },
        quota_zone: if is_gemini { zone(env)? } else { TimeZone::UTC },
        prices: prices.clone(),
    })
}

fn thinking(env: &Environment) -> Result<Thinking, ConfigError> {
    match (env.get("DOCKET_GEMINI_THINKING_BUDGET"), env.get("DOCKET_GEMINI_THINKING_LEVEL")) {
        (Some(_), Some(_)) => Err(ConfigError::new(
            "DOCKET_GEMINI_THINKING_LEVEL",
            "together with a budget it is refused: set one of them",
        )),
        (Some(_), None) => Ok(Thinking::Budget(env.number("DOCKET_GEMINI_THINKING_BUDGET", -1)?)),
        (None, Some(level)) => Ok(Thinking::Level(level.to_owned())),
        (None, None) => Ok(Thinking::Default),
    }
}

fn zone(env: &Environment) -> Result<TimeZone, ConfigError> {
    let name = "DOCKET_GEMINI_QUOTA_ZONE";
    let zone = env.get(name).unwrap_or("America/Los_Angeles");
    TimeZone::get(zone).map_err(|_| ConfigError::new(name, "no time zone, such as America/Los_Angeles"))
}

/// The models' prices; needed where a model is asked.
fn prices(env: &Environment) -> Result<PriceTable, ConfigError> {
    let name = "DOCKET_PRICES_FILE";
    read(env, name)?.ok_or_else(|| ConfigError::new(name, "not set: without prices no cost can be told"))
}

/// The prices, for commands that only tell of them; none: no file is named.
///
/// # Errors
/// When the file can't be used.
pub fn price_table(env: &Environment) -> Result<Option<PriceTable>, ConfigError> {
    read(env, "DOCKET_PRICES_FILE")
}

/// What may be spent on models.
///
/// # Errors
/// When the file can't be used, or what stands in it contradicts itself.
pub fn budgets(env: &Environment) -> Result<Budgets, ConfigError> {
    let name = "DOCKET_BUDGETS_FILE";
    let list: Vec<Budget> = read(env, name)?.unwrap_or_default();
    Budgets::new(list).map_err(|problem| ConfigError::new(name, problem))
}

fn read<T: DeserializeOwned>(env: &Environment, name: &str) -> Result<Option<T>, ConfigError> {
    let Some(path) = env.get(name) else { return Ok(None) };
    let text = regular::text(Path::new(path)).map_err(|problem| ConfigError::new(name, problem))?;
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|e| ConfigError::new(name, format!("{path} is not the JSON list that it should be: {e}")))
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    const PRICES: &str =
        r#"[{"model":"m","effective_from":"2026-01-01","input":1,"cached":1,"output":1,"source":"s"}]"#;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn gemini_and_the_models_after_it_are_read() {
        let prices = file(PRICES);
        let vars = [
            ("DOCKET_SUMMARISER", "gemini"),
            ("DOCKET_GEMINI_MODEL", "m"),
            ("DOCKET_GEMINI_THINKING_BUDGET", "0"),
            ("DOCKET_MODELS", "gemini:n, openai:org/o"),
            ("DOCKET_PRICES_FILE", prices.path().to_str().unwrap()),
        ];
        let read = summariser(&env(&vars)).unwrap();
        assert_eq!(read.models(), ["m", "n", "org/o"]);
        let SummariserSettings::Models(models) = read else { panic!("models") };
        assert_eq!(models.list[0].thinking, Thinking::Budget(0));
        assert_eq!(models.list[0].quota_zone, TimeZone::get("America/Los_Angeles").unwrap());
        assert_eq!(models.list[2].base_url, "https://api.openai.com/v1");
        let refused = |name: &'static str, value: &'static str, named: &str| {
            let with = vars.into_iter().filter(|(known, _)| *known != name).chain([(name, value)]).collect::<Vec<_>>();
            assert_eq!(summariser(&env(&with)).expect_err(value).name, named, "{name}={value}");
        };
        refused("DOCKET_GEMINI_THINKING_LEVEL", "low", "DOCKET_GEMINI_THINKING_LEVEL");
        refused("DOCKET_GEMINI_QUOTA_ZONE", "Mars/Olympus", "DOCKET_GEMINI_QUOTA_ZONE");
        refused("DOCKET_GEMINI_MODEL", "../v1/other", "DOCKET_GEMINI_MODEL");
        refused("DOCKET_MODELS", "gpt", "DOCKET_MODELS");
        refused("DOCKET_MODELS", "gemini:m", "DOCKET_MODELS");
        refused("DOCKET_MODELS", "openai:a,openai:b,openai:c,openai:d", "DOCKET_MODELS");
        refused("DOCKET_PRICES_FILE", "/nowhere/at/all", "DOCKET_PRICES_FILE");
    }

    #[test]
    fn budgets_are_a_list_without_contradictions() {
        assert!(budgets(&env(&[])).unwrap().list().is_empty());
        let read = |text: &str| {
            let file = file(text);
            budgets(&env(&[("DOCKET_BUDGETS_FILE", file.path().to_str().unwrap())])).map(|budgets| budgets.list().len())
        };
        let good = r#"[{"scope":"total","period":"month","limit_micro_usd":50000000},
                       {"scope":"city","name":"seattle-wa","period":"day","limit_micro_usd":1000000}]"#;
        assert_eq!(read(good), Ok(2));
        for bad in [
            "",
            "{}",
            r#"[{"scope":"planet","period":"day","limit_micro_usd":1}]"#,
            r#"[{"scope":"total","period":"day","limit_micro_usd":-1}]"#,
            r#"[{"scope":"total","period":"day","limit_micro_usd":1},{"scope":"total","period":"day","limit_micro_usd":2}]"#,
        ] {
            assert_eq!(read(bad).expect_err(bad).name, "DOCKET_BUDGETS_FILE");
        }
    }
}
