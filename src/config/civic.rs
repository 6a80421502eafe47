//! The domain.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    models,
    setting::{Role, WORKER, settings},
};
use crate::civic::{settings::CivicSettings, vendor::http::Allowed};

/// A city's listing is enqueued on the command line, and run by workers.
const READERS: &[Role] = &[Role::Worker, Role::Command];
/// Workers spend it, schedulers export how much of it is left, and commands tell of it.
const MONEY: &[Role] = &[Role::Worker, Role::Scheduler, Role::Command];

settings! {
    /// How a city reaches who runs this fleet: an address or a page. It is part of the user agent.
    "civic.contact" "DOCKET_CONTACT", Kind::Text, READERS;
    /// `host:port`, separated by commas, that may be asked although their address isn't public. Each is a hole in the wall
    /// that keeps vendors' links away from this network.
    "civic.allow_hosts" "DOCKET_ALLOW_HOSTS", Kind::List, READERS;
    /// Who writes summaries: `extractive` picks sentences, without a model and without cost; `openai` asks any compatible
    /// API; `gemini` asks Google's.
    "civic.summariser" "DOCKET_SUMMARISER" = "extractive", Kind::OneOf(&["extractive", "openai", "gemini"]), READERS;
    /// Models that are asked in turn when the one before gives nothing of use, such as `gemini:gemini-2.5-flash`; they use the
    /// addresses and keys of their provider. At most three.
    "civic.models" "DOCKET_MODELS", Kind::List, READERS;
    /// Longest text that a model reads at once, in tokens; four characters are about one. What is longer is read in parts, cut
    /// between pages: smaller parts cost more calls, larger ones more of a budget at once.
    "civic.max_input_tokens" "DOCKET_MAX_INPUT_TOKENS" = "24000", Kind::Count(500, 1_000_000), READERS;
    /// JSON list of what may be spent on models, such as
    /// `[{"scope": "total", "period": "day", "limit_micro_usd": 5000000}]`; the scope is `total`, `city` or `model`, the last two
    /// with a `name`, or without one for each of them; the period is `day` or `month`, of UTC. None: nothing is limited.
    "civic.budgets_file" "DOCKET_BUDGETS_FILE", Kind::Path, MONEY;
    /// JSON list of the models' prices, in micro-dollars a million tokens, each with its first day and source; needed with
    /// `openai` and `gemini`.
    "civic.prices_file" "DOCKET_PRICES_FILE", Kind::Path, MONEY;
    /// Base address of the model's API.
    "openai.url" "DOCKET_OPENAI_URL" = "https://api.openai.com/v1", Kind::Url, WORKER;
    /// The model; needed with `openai`.
    "openai.model" "DOCKET_OPENAI_MODEL", Kind::Text, WORKER;
    /// The API's key; none for a server of your own.
    "openai.key" "DOCKET_OPENAI_KEY", Kind::Secret, WORKER;
    /// Base address of Google's API.
    "gemini.url" "DOCKET_GEMINI_URL" = "https://generativelanguage.googleapis.com", Kind::Url, WORKER;
    /// The model; needed with `gemini`.
    "gemini.model" "DOCKET_GEMINI_MODEL", Kind::Text, WORKER;
    /// The key of Google's API.
    "gemini.key" "DOCKET_GEMINI_KEY", Kind::Secret, WORKER;
    /// Tokens that a model of generation 2.5 may think before it answers: 0 turns it off, -1 leaves it to the model. They are
    /// billed like the answer and count to its limit. Not together with `gemini.thinking_level`.
    "gemini.thinking_budget" "DOCKET_GEMINI_THINKING_BUDGET", Kind::Count(-1, 32_768), WORKER;
    /// How much a model of generation 3 may think before it answers. Not together with `gemini.thinking_budget`.
    "gemini.thinking_level" "DOCKET_GEMINI_THINKING_LEVEL", Kind::OneOf(&["minimal", "low", "medium", "high"]), WORKER;
    /// Where it is midnight when the quota of a day is there again; an IANA time zone.
    "gemini.quota_zone" "DOCKET_GEMINI_QUOTA_ZONE" = "America/Los_Angeles", Kind::Text, WORKER;
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
    settings.max_input_tokens = env.number("DOCKET_MAX_INPUT_TOKENS", settings.max_input_tokens)?;
    settings.budgets = models::budgets(env)?;
    settings.summariser = models::summariser(env)?;
    Ok(settings)
}

/// Hosts that may be asked although their address isn't public.
pub(super) fn allowed(env: &Environment) -> Result<Vec<Allowed>, ConfigError> {
    let name = "DOCKET_ALLOW_HOSTS";
    env.list(name).map(|host| host.parse().map_err(|e: String| ConfigError::new(name, e))).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};
    use crate::civic::settings::SummariserSettings;

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
            ("DOCKET_SUMMARISER", "gemini", "DOCKET_GEMINI_MODEL"),
            ("DOCKET_BUDGETS_FILE", "/nowhere/at/all", "DOCKET_BUDGETS_FILE"),
            ("DOCKET_CONTACT", "a\u{1}b", "DOCKET_CONTACT"),
        ];
        for (name, value, named) in bad {
            assert_eq!(civic(&env(&[(name, value)])).expect_err(value).name, named);
        }
    }
}
