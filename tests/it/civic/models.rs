//! Both wire formats over real HTTP: what an answer brings, what each fault becomes, and where the key never is.

use super::support::{KEY, gemini, openai};
use docket::{
    civic::llm::{
        Call, CallStatus, LlmError, Outcome, PROMPT_VERSION, PromptType, Provider, ProviderKind, Request, Usage,
        client::{ModelClient, ModelSettings, SetupError, Thinking},
    },
    dev::models::{Fault, ModelServer},
};
use std::time::Duration;

const TEXT: &str = "The harbor warehouse is leased to Acme Marine for ten years. The rent is 1,240 dollars a month.";
/// What the made-up model takes of it.
const FIRST: &str = "The harbor warehouse is leased to Acme Marine for ten years.";
const TITLE: &str = "Lease of the harbor warehouse";

fn request() -> Request {
    Request::new(PromptType::Item, TITLE, TEXT)
}

async fn ask(settings: ModelSettings) -> Outcome {
    ModelClient::new(settings).unwrap().ask(&request().into()).await
}

/// Both providers on one server.
async fn both() -> (ModelServer, [ModelSettings; 2]) {
    let server = ModelServer::start().await.unwrap();
    let settings = [openai(&server, "small"), gemini(&server, "flash")];
    (server, settings)
}

#[tokio::test]
async fn an_answer_brings_text_tokens_and_cost() {
    let (server, settings) = both().await;
    for (settings, kind) in settings.into_iter().zip([ProviderKind::OpenAi, ProviderKind::Gemini]) {
        let Outcome { call, result, .. } = ask(settings).await;
        assert_eq!(result.unwrap().summary, FIRST, "{kind}");
        assert_eq!((call.provider, call.status, call.estimated), (kind, CallStatus::Ok, false));
        assert_eq!(call.prompt_version, PROMPT_VERSION);
        let Usage { input, cached, output, thoughts } = call.usage;
        assert!(input > 100 && cached == input / 10 && thoughts == 40 && output > thoughts, "{kind}: {call:?}");
        // A dollar, ten cents and two dollars a million: thoughts are billed like the answer.
        let cost = (u64::from(input - cached) * 10 + u64::from(cached) + u64::from(output) * 20).div_ceil(10);
        assert_eq!(call.cost, cost, "{kind}");
    }
    let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/v1/chat/completions", "/v1beta/models/flash:generateContent"], "no key in an address");
    assert!(server.seen().iter().all(|seen| seen.key.as_deref() == Some(KEY)));
}

#[tokio::test]
async fn each_fault_is_told_as_what_it_is() {
    let (server, settings) = both().await;
    let delay = Duration::from_secs(7);
    let table = [
        (Fault::RateLimited(delay), CallStatus::RateLimited),
        (Fault::DailyQuota, CallStatus::DailyQuota),
        (Fault::Status(400), CallStatus::Refused),
        (Fault::Status(403), CallStatus::Refused),
        (Fault::Status(404), CallStatus::Refused),
        (Fault::Status(500), CallStatus::ServerError),
        (Fault::Status(503), CallStatus::ServerError),
        (Fault::Status(504), CallStatus::ServerError),
        (Fault::TooLong, CallStatus::TooLong),
        (Fault::Empty, CallStatus::Empty),
        (Fault::Truncated, CallStatus::Truncated),
        (Fault::HalfBody, CallStatus::Malformed),
        (Fault::BreaksOff, CallStatus::Interrupted),
        (Fault::NotJson, CallStatus::Malformed),
        (Fault::ErrorBody, CallStatus::ServerError),
        (Fault::Blocked, CallStatus::Blocked),
        (Fault::WrongKey, CallStatus::WrongKey),
    ];
    for settings in settings {
        for (fault, status) in &table {
            server.plan([fault.clone()]);
            let Outcome { call, result, .. } = ask(settings.clone()).await;
            assert_eq!(call.status, *status, "{} {fault:?}: {result:?}", settings.provider);
            if let Fault::RateLimited(_) = fault {
                assert!(matches!(result, Err(LlmError::RateLimited { after: Some(after), .. }) if after == delay));
            }
            // What is answered is billed, of whatever use it is; an error is not.
            let is_answer = matches!(
                fault,
                Fault::Empty
                    | Fault::Truncated
                    | Fault::HalfBody
                    | Fault::BreaksOff
                    | Fault::NotJson
                    | Fault::Blocked
                    | Fault::WrongKey
            );
            assert_eq!(call.cost > 0, is_answer, "{} {fault:?}", settings.provider);
            assert_eq!(
                call.estimated,
                matches!(fault, Fault::HalfBody | Fault::BreaksOff),
                "{} {fault:?}",
                settings.provider
            );
        }
    }
    server.plan([Fault::NoMoney]);
    assert_eq!(ask(openai(&server, "small")).await.call.status, CallStatus::Quota);
}

#[tokio::test]
async fn tokens_that_nobody_tells_are_estimated_and_say_so() {
    let (server, settings) = both().await;
    for settings in settings {
        let told: Call = ask(settings.clone()).await.call;
        server.plan([Fault::NoUsage]);
        let Outcome { call, result, .. } = ask(settings).await;
        assert!(result.is_ok() && call.estimated && call.cost > 0);
        // The made-up server counts as the estimate does, but for what it claims to have thought.
        assert_eq!((call.usage.input, call.usage.output), (told.usage.input, told.usage.output - told.usage.thoughts));
    }
}

#[tokio::test]
async fn a_key_that_a_server_quotes_is_taken_out() {
    let (server, settings) = both().await;
    for settings in settings {
        server.plan([Fault::QuotesKey]);
        let shown = format!("{settings:?}");
        let outcome = ask(settings).await;
        let error = outcome.result.as_ref().unwrap_err().to_string();
        assert!(error.contains("[REDACTED]") && !error.contains(KEY), "{error}");
        assert!(!format!("{outcome:?} {shown}").contains(KEY));
    }
}

#[tokio::test]
async fn a_silent_server_ends_at_the_deadline_and_a_missing_one_at_once() {
    let (server, settings) = both().await;
    for settings in settings {
        server.plan([Fault::Slow(Duration::from_secs(60))]);
        let short = ModelSettings { timeout: Duration::from_millis(100), ..settings.clone() };
        let Outcome { call, result, .. } = ask(short).await;
        assert!(matches!(result, Err(LlmError::Timeout(_))), "{result:?}");
        assert!(call.estimated && call.cost > 0, "the server may bill what it has begun");
        let nobody = ModelSettings { base_url: "http://127.0.0.1:1".into(), ..settings };
        assert!(matches!(ask(nobody).await.result, Err(LlmError::Connect(_))));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let (server, [settings, _]) = both().await;
    let target = format!("{}/chat/completions", server.openai_url());
    let routes = axum::Router::new().fallback(move || async move { axum::response::Redirect::temporary(&target) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    assert!(ask(ModelSettings { base_url, ..settings }).await.result.is_err());
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn bad_settings_are_refused() {
    let (_, [settings, flash]) = both().await;
    let new = |settings: ModelSettings| ModelClient::new(settings).unwrap_err();
    let ftp = ModelSettings { base_url: "ftp://models.example".into(), ..settings.clone() };
    assert!(matches!(new(ftp), SetupError::BaseUrl(_)));
    let free = ModelSettings { model: "unknown".into(), thinking: Thinking::Budget(0), ..flash };
    assert!(matches!(new(free), SetupError::NoPrice(model) if model == "unknown"));
    let none = ModelSettings { provider: ProviderKind::Extractive, ..settings };
    assert!(matches!(new(none), SetupError::NoServer(_)));
}

#[tokio::test]
async fn no_call_costs_more_than_what_is_reserved_for_it() {
    let (_server, settings) = both().await;
    for settings in settings {
        let client = ModelClient::new(settings).unwrap();
        for text in [TEXT.to_owned(), "1,234.56 ".repeat(5_000), "ä".repeat(10_000)] {
            let request = Request::new(PromptType::Item, TITLE, &text);
            let worst = client.worst_cost(&request.clone().into());
            let call = client.ask(&request.into()).await.call;
            assert!(call.cost <= worst, "{} > {worst}", call.cost);
        }
    }
}
