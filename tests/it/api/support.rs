//! A server with the API, and a client of it.

use crate::support::{TestLedger, metrics};
use docket::{
    civic::{self, Services, settings::CivicSettings},
    db::{self, PoolOptions, PoolPurpose},
    fleet::gate::{Gate, Kinds, MaxPending},
    http::{Health, HttpSettings, Role, Routes, Running, Token, api, serve},
};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_postgres::Config;
use tokio_util::sync::CancellationToken;

/// What a server is made of.
pub(crate) struct Server {
    pub(crate) settings: HttpSettings,
    pub(crate) database: api::Database,
    pub(crate) max_pending: MaxPending,
    pub(crate) config: Config,
}

/// A server that runs, and a client of it.
pub(crate) struct Api {
    pub(crate) addr: SocketAddr,
    pub(crate) client: reqwest::Client,
    token: Option<String>,
    _running: Arc<Running>,
}

/// The API on this ledger, for everyone on this machine.
pub(crate) async fn server(db: &TestLedger) -> SocketAddr {
    Server::on(&db.config).start().await.addr
}

/// The kinds of the domain.
fn kinds(pool: &db::Pool) -> Kinds {
    let services = Services::new(pool.clone(), CivicSettings::default()).expect("builds");
    Kinds::of(&civic::handlers(Arc::new(services)))
}

/// A token of each role, with its secret.
pub(crate) fn tokens() -> (Vec<Token>, [String; 3]) {
    let made = Role::ALL.map(|role| Token::generate(role.as_str(), role).expect("a name"));
    let secrets = [0, 1, 2].map(|i: usize| made[i].0.expose_secret().to_owned());
    (made.into_iter().map(|(_, token)| token).collect(), secrets)
}

impl Server {
    pub(crate) fn on(config: &Config) -> Self {
        let pool = db::pool(config, PoolOptions::new(PoolPurpose::General, 4));
        Self {
            settings: HttpSettings::default(),
            database: api::Database::new(pool),
            max_pending: MaxPending::default(),
            config: config.clone(),
        }
    }

    pub(crate) async fn start(self) -> Api {
        let pool = db::pool(&self.config, PoolOptions::new(PoolPurpose::General, 1));
        let gate = Gate::start(&self.config, kinds(&pool), self.max_pending);
        let api = api::router(api::Api::new(self.database, gate, &["default".to_owned()]));
        let routes = Routes { metrics: metrics(), health: Health::new(), api: Some(api) };
        let running = serve(self.settings, routes, CancellationToken::new()).await.expect("listens");
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().expect("builds");
        Api { addr: running.addr(), client, token: None, _running: Arc::new(running) }
    }
}

impl Api {
    /// The same, with a token.
    pub(crate) fn with(&self, token: &str) -> Self {
        let (client, running) = (self.client.clone(), self._running.clone());
        Self { addr: self.addr, client, token: Some(token.to_owned()), _running: running }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.addr));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Its status and its JSON.
    pub(crate) async fn send(&self, request: RequestBuilder) -> (StatusCode, Value) {
        let response = request.send().await.expect("answers");
        (response.status(), response.json().await.expect("JSON"))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// A POST without a body.
    pub(crate) async fn act(&self, path: &str) -> (StatusCode, Value) {
        self.send(self.request(Method::POST, path)).await
    }

    /// A POST whose body is as it is, as JSON.
    pub(crate) async fn raw(&self, path: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(body)).await
    }
}

/// It must be this error.
pub(crate) fn is_error(answer: &(StatusCode, Value), status: u16, code: &str) {
    assert_eq!((answer.0.as_u16(), &answer.1["error"]["code"]), (status, &Value::from(code)), "{answer:?}");
    for field in ["message", "hint"] {
        assert!(answer.1["error"][field].as_str().is_some_and(|text| !text.is_empty()), "{answer:?}");
    }
}
