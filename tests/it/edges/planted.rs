//! The planted secrets, and the strangers that send them back.

use axum::{Json, Router, http::StatusCode, response::Redirect, routing};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One of each kind, all different, recognisable anywhere.
pub(super) struct Planted {
    pub(super) database: String,
    pub(super) amqp: String,
    pub(super) management: String,
    pub(super) token: String,
    pub(super) key: String,
    pub(super) vendor: String,
}

impl Planted {
    pub(super) fn new() -> Self {
        let secret = |what: &str| format!("planted-{what}-{}", uuid::Uuid::new_v4().simple());
        let [database, amqp, management] = ["database", "amqp", "management"].map(secret);
        let [token, key, vendor] = ["token", "key", "vendor"].map(secret);
        Self { database, amqp, management, token, key, vendor }
    }

    /// What must be found nowhere: the random part too, in case a name is cut off.
    pub(super) fn all(&self) -> [&str; 6] {
        let Self { database, amqp, management, token, key, vendor } = self;
        [database, amqp, management, token, key, vendor].map(|secret| &secret[secret.len() - 32..])
    }
}

async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// A model's server that refuses the key and quotes it, with what would break a log line. Returns its base.
pub(super) async fn model(secrets: &Planted) -> String {
    let message = format!("Incorrect API key provided:\n\u{1b}[31m {} {}", secrets.key, "and so on ".repeat(1_000));
    let refuse = move || {
        let message = message.clone();
        async move { (StatusCode::UNAUTHORIZED, Json(json!({"error": {"message": message, "code": "invalid_api_key"}}))) }
    };
    format!("http://127.0.0.1:{}/v1", serve(Router::new().route("/v1/chat/completions", routing::post(refuse))).await)
}

/// Prices of the model that [`model`] is.
pub(super) const PRICES: &str =
    r#"[{"model":"planted","effective_from":"2020-01-01","input":0,"cached":0,"output":0,"source":"made up"}]"#;

/// Paths of [`site`].
pub(super) const PATHS: [&str; 5] = ["/login", "/signed", "/loop", "/broken", "/away"];

/// A vendor's site that sends visitors on to addresses with secrets in them. Returns its port.
pub(super) async fn site(secrets: &Planted) -> u16 {
    let secret = secrets.vendor.clone();
    let to = |place: String| routing::get(move || async move { Redirect::temporary(&place) });
    let router = Router::new()
        .route("/login", to(format!("http://user:{secret}@127.0.0.1/document.pdf")))
        .route("/signed", to(format!("http://10.0.0.1/document.pdf?token={secret}&X-Amz-Signature={secret}")))
        .route("/loop", to(format!("/loop?sig={secret}")))
        .route("/broken", to(format!("http://[{secret}/")))
        .route("/away", routing::get(move || async move { (StatusCode::INTERNAL_SERVER_ERROR, secret) }));
    serve(router).await
}

/// Longest text of a field.
const FIELD_MAX: usize = 2_048 + '…'.len_utf8();

/// Each line of a log is one JSON object, without raw control characters, and its fields are bounded.
pub(super) fn is_one_line_an_event(log: &str) {
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        let fields: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(fields["level"].is_number() && fields["time"].is_string(), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
        for (name, value) in fields.as_object().unwrap() {
            let bytes = value.as_str().map_or(0, str::len);
            assert!(bytes <= FIELD_MAX, "{name} has {bytes} bytes: {line}");
        }
    }
}
