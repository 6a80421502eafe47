//! The domain.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    models,
    setting::{Role, SCHEDULER, WORKER, settings},
};
use crate::civic::{
    document::Ocr,
    settings::CivicSettings,
    vendor::http::{Allowed, PaceSettings, TlsException},
};
use std::time::Duration;

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
    /// Whether schedulers list the cities by themselves, each at its own pace: hourly while a meeting is near or something
    /// changes, daily where nothing does. `off`: a city is listed by `docket cities sync`.
    "civic.follow" "DOCKET_FOLLOW" = "off", Kind::OneOf(&["on", "off"]), SCHEDULER;
    /// Between the starts of two requests to one host, for the whole fleet: a site's own answers make it slower, never faster.
    /// Hosts of `civic.allow_hosts` are paced only where this is set.
    "civic.host_spacing" "DOCKET_HOST_SPACING" = "500ms", Kind::Duration(Duration::from_millis(10), Duration::from_mins(1)), READERS;
    /// Requests to one host at once, for the whole fleet.
    "civic.host_concurrency" "DOCKET_HOST_CONCURRENCY" = "2", Kind::Count(1, 100), READERS;
    /// `host=reason`, separated by commas, which a reason therefore can't hold: hosts whose certificates are not verified, because the city can't mend them. What such
    /// a host sends may be anybody's, so each use is counted, recorded and told.
    "civic.tls_exceptions" "DOCKET_TLS_EXCEPTIONS", Kind::List, READERS;
    /// Days for which the record of sites' answers is kept: re-parsing and `docket cities courtesy` reach back so far.
    "civic.record_days" "DOCKET_RECORD_DAYS" = "90", Kind::Count(1, 3650), SCHEDULER;
    /// Who writes summaries: `extractive` picks sentences, without a model and without cost; `openai` asks any compatible
    /// API; `gemini` asks Google's.
    "civic.summariser" "DOCKET_SUMMARISER" = "extractive", Kind::OneOf(&["extractive", "openai", "gemini"]), READERS;
    /// Models that are asked in turn when the one before gives nothing of use, such as `gemini:gemini-2.5-flash`; they use the
    /// addresses and keys of their provider. At most three.
    "civic.models" "DOCKET_MODELS", Kind::List, READERS;
    /// Longest text that a model reads at once, in tokens; four characters are about one. What is longer is read in parts, cut
    /// between pages: smaller parts cost more calls, larger ones more of a budget at once.
    "civic.max_input_tokens" "DOCKET_MAX_INPUT_TOKENS" = "24000", Kind::Count(500, 1_000_000), READERS;
    /// Short items of one meeting that a model is asked about in one call, at most; 1: each alone. More cost fewer instructions
    /// and calls, and a longer answer: the model must be able to write so many times the longest answer, within the same
    /// deadline. Each of the texts has at most its share of `civic.max_input_tokens`.
    "civic.items_per_call" "DOCKET_ITEMS_PER_CALL" = "1", Kind::Count(1, 20), READERS;
    /// Calls of each model in a minute, for the whole fleet, at an even distance; 0: as many as there are. Whose turn is far away
    /// waits in the ledger, at no cost.
    "civic.model_calls_per_minute" "DOCKET_MODEL_CALLS_PER_MINUTE" = "0", Kind::Count(0, 60_000), READERS;
    /// JSON list of what may be spent on models, such as
    /// `[{"scope": "total", "period": "day", "limit_micro_usd": 5000000}]`; the scope is `total`, `city` or `model`, the last two
    /// with a `name`, or without one for each of them; the period is `day` or `month`, of UTC. None: nothing is limited.
    "civic.budgets_file" "DOCKET_BUDGETS_FILE", Kind::Path, MONEY;
    /// JSON list of the models' prices, in micro-dollars a million tokens, each with its first day and source; needed with
    /// `openai` and `gemini`.
    "civic.prices_file" "DOCKET_PRICES_FILE", Kind::Path, MONEY;
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
    "civic.document_recheck" "DOCKET_DOCUMENT_RECHECK" = "6h", Kind::Duration(Duration::from_secs(1), Duration::from_hours(8_760)), WORKER;
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
    settings.pace = pace(env)?;
    settings.ocr = ocr(env)?;
    settings.document_recheck = env.duration("DOCKET_DOCUMENT_RECHECK", settings.document_recheck)?;
    settings.http.tls_exceptions = tls_exceptions(env)?;
    settings.max_input_tokens = env.number("DOCKET_MAX_INPUT_TOKENS", settings.max_input_tokens)?;
    settings.items_per_call = env.number("DOCKET_ITEMS_PER_CALL", settings.items_per_call)?;
    settings.model_calls_per_minute = env.number("DOCKET_MODEL_CALLS_PER_MINUTE", settings.model_calls_per_minute)?;
    settings.budgets = models::budgets(env)?;
    settings.summariser = models::summariser(env)?;
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

/// Whether schedulers list cities by themselves.
///
/// # Errors
/// When the value can't be used.
pub fn follow(env: &Environment) -> Result<bool, ConfigError> {
    match env.get("DOCKET_FOLLOW") {
        None | Some("off") => Ok(false),
        Some("on") => Ok(true),
        Some(_) => Err(ConfigError::new("DOCKET_FOLLOW", "one of on, off")),
    }
}

/// Hosts that may be asked although their address isn't public.
pub(super) fn allowed(env: &Environment) -> Result<Vec<Allowed>, ConfigError> {
    let name = "DOCKET_ALLOW_HOSTS";
    env.list(name).map(|host| host.parse().map_err(|e: String| ConfigError::new(name, e))).collect()
}

fn tls_exceptions(env: &Environment) -> Result<Vec<TlsException>, ConfigError> {
    let name = "DOCKET_TLS_EXCEPTIONS";
    env.list(name).map(|text| text.parse().map_err(|e: String| ConfigError::new(name, e))).collect()
}

/// How long the record of sites' answers is kept.
///
/// # Errors
/// When the value can't be used.
pub fn record_days(env: &Environment) -> Result<u32, ConfigError> {
    SETTINGS.iter().filter(|setting| setting.key == "civic.record_days").try_for_each(|setting| env.check(setting))?;
    env.number("DOCKET_RECORD_DAYS", 90)
}

fn pace(env: &Environment) -> Result<PaceSettings, ConfigError> {
    let (usual, name) = (PaceSettings::default(), "DOCKET_HOST_SPACING");
    Ok(PaceSettings {
        spacing: env.duration(name, usual.spacing)?,
        concurrency: env.number("DOCKET_HOST_CONCURRENCY", usual.concurrency)?,
        paces_allowed: env.get(name).is_some(),
    })
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
    fn hosts_on_this_machine_are_paced_only_when_the_spacing_is_set() {
        let usual = civic(&env(&[])).unwrap().pace;
        assert_eq!((usual.spacing, usual.concurrency, usual.paces_allowed), (Duration::from_millis(500), 2, false));
        let set = [("DOCKET_HOST_SPACING", "500ms"), ("DOCKET_HOST_CONCURRENCY", "3")];
        let set = civic(&env(&set)).unwrap().pace;
        assert_eq!((set.spacing, set.concurrency, set.paces_allowed), (Duration::from_millis(500), 3, true));
        assert_eq!(record_days(&env(&[])).unwrap(), 90);
        assert!(record_days(&env(&[("DOCKET_RECORD_DAYS", "0")])).is_err());
    }

    #[test]
    fn cities_are_followed_only_where_that_is_said() {
        let told = |value: &str| follow(&env(&[("DOCKET_FOLLOW", value)])).map_err(|error| error.name);
        assert_eq!((told("on"), told("off")), (Ok(true), Ok(false)));
        assert_eq!(follow(&env(&[])).map_err(|error| error.name), Ok(false));
        assert!(told("maybe").is_err());
    }

    #[test]
    fn bad_values_are_named() {
        let bad = [
            ("DOCKET_ALLOW_HOSTS", "nohost", "DOCKET_ALLOW_HOSTS"),
            ("DOCKET_TLS_EXCEPTIONS", "city.example", "DOCKET_TLS_EXCEPTIONS"),
            ("DOCKET_HOST_SPACING", "1ms", "DOCKET_HOST_SPACING"),
            ("DOCKET_SUMMARISER", "magic", "DOCKET_SUMMARISER"),
            ("DOCKET_OCR_LANGUAGE", "--psm", "DOCKET_OCR_LANGUAGE"),
            ("DOCKET_OCR_LANGUAGE", "../x", "DOCKET_OCR_LANGUAGE"),
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
