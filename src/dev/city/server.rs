//! The city's web site: one server for the API and the files.

use super::{
    CitySpec, Expected, Fault,
    legistar::{self, Query},
    plan::{Document, Plan},
    spec::ZONE,
};
use crate::civic::{
    model::{City, CitySlug, Source, Vendor, Zone},
    vendor::http::Allowed,
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The name at the vendor; a client that is not known answers 500, as Legistar does.
const CLIENT: &str = "alderfalls";

/// A running city. It ends when it is dropped.
#[derive(Debug)]
pub struct DemoCity {
    address: SocketAddr,
    expected: Expected,
    door: Arc<Door>,
    task: JoinHandle<io::Result<()>>,
}

struct Site {
    plan: Plan,
    base: String,
    slow: Duration,
    /// Requests so far, by document.
    asked: Mutex<HashMap<usize, u32>>,
}

impl DemoCity {
    /// Builds the city and serves it on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(spec: &CitySpec) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let plan = Plan::new(spec);
        let expected = Expected::of(&plan);
        let base = format!("http://{address}");
        let site = Arc::new(Site { plan, base, slow: spec.slow, asked: Mutex::default() });
        let routes = Router::new()
            .route("/v1/{client}/events", get(events))
            .route("/v1/{client}/events/{id}/eventitems", get(items))
            .route("/v1/{client}/bodies", get(bodies))
            .route("/files/{name}", get(file))
            .with_state(site);
        let door = Arc::new(Door::default());
        let routes = routes.layer(from_fn_with_state(door.clone(), through));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, expected, door, task })
    }

    /// From now on every request is answered with 503, or no longer.
    pub fn refuse(&self, refuses: bool) {
        self.door.refuses.store(refuses, Ordering::Relaxed);
    }

    /// Requests so far, the refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.door.requests.load(Ordering::Relaxed)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The exception that a client needs to be let onto loopback.
    #[must_use]
    pub fn allowed(&self) -> Allowed {
        Allowed { host: self.address.ip().to_string(), port: self.address.port() }
    }

    /// The city as Docket follows it.
    ///
    /// # Panics
    /// Never: the zone is one of the time zone database.
    #[must_use]
    pub fn city(&self) -> City {
        City {
            slug: CitySlug::from("alder-falls"),
            name: "Alder Falls (made up)".to_owned(),
            zone: Zone::new(ZONE).expect("the zone is a constant of the time zone database"),
            source: Source {
                vendor: Vendor::Legistar,
                client: CLIENT.to_owned(),
                params: [("base_url".to_owned(), format!("http://{}/v1", self.address))].into(),
            },
        }
    }

    /// What a fleet must have made of it in the end.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        self.expected
    }
}

impl Drop for DemoCity {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What every request comes through.
#[derive(Debug, Default)]
struct Door {
    refuses: AtomicBool,
    requests: AtomicU64,
}

async fn through(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    door.requests.fetch_add(1, Ordering::Relaxed);
    if door.refuses.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    next.run(request).await
}

type SiteState = State<Arc<Site>>;

/// `alderfalls`, and its twins `alderfalls-2` and so on: one site may have many cities.
fn is_known(client: &str) -> bool {
    client.strip_prefix(CLIENT).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

async fn events(State(site): SiteState, Path(client): Path<String>, RawQuery(query): RawQuery) -> Response {
    if !is_known(&client) {
        return unknown_client();
    }
    match Query::read(&query.unwrap_or_default()) {
        Ok(query) => Json(query.page(&site.plan.meetings, &site.base)).into_response(),
        Err(message) => (StatusCode::BAD_REQUEST, Json(json!({"Message": message}))).into_response(),
    }
}

async fn items(State(site): SiteState, Path((client, id)): Path<(String, usize)>) -> Response {
    if !is_known(&client) {
        return unknown_client();
    }
    match site.plan.meetings.iter().find(|meeting| meeting.id == id) {
        Some(meeting) => Json(legistar::items(meeting, &site.base)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn bodies(Path(client): Path<String>) -> Response {
    if is_known(&client) {
        Json(json!([{"BodyId": 1, "BodyName": "City Council"}])).into_response()
    } else {
        unknown_client()
    }
}

fn unknown_client() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"Message": "An error has occurred."}))).into_response()
}

async fn file(State(site): SiteState, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let id = name.strip_suffix(".pdf").and_then(|id| id.parse::<usize>().ok());
    let Some(document) = id.and_then(|id| site.plan.documents().find(|document| document.id == id)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // By attempt where the request names one: an attempt that is lost with its worker and made again must meet the same
    // fault, or a killed worker would change what comes out.
    let asked = attempt(&headers).unwrap_or_else(|| site.count(document));
    match document.fault {
        Some(Fault::Missing) => return StatusCode::NOT_FOUND.into_response(),
        Some(Fault::Broken) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::FailsTwice) if asked <= 2 => {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Some(Fault::Slow) => tokio::time::sleep(site.slow).await,
        Some(Fault::FailsTwice) | None => {}
    }
    ([(CONTENT_TYPE, "application/pdf")], document.bytes.clone()).into_response()
}

fn attempt(headers: &HeaderMap) -> Option<u32> {
    headers.get("x-request-id")?.to_str().ok()?.rsplit_once('/')?.1.parse().ok()
}

impl Site {
    /// Counts a request, this one included.
    fn count(&self, document: &Document) -> u32 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(document.id).or_default();
        *count = count.saturating_add(1);
        *count
    }
}
