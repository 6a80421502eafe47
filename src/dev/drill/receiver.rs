//! The webhook at the end of the way.

use anyhow::Result;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde::Deserialize;
use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};

/// What Alertmanager posts (webhook, version 4); the rest of it is of no interest here.
#[derive(Deserialize)]
struct Notice {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    status: String,
    labels: HashMap<String, String>,
    #[serde(default)]
    annotations: HashMap<String, String>,
}

/// First arrivals, by name: when, and what was said. As many as there are rules.
type Arrivals = Arc<Mutex<HashMap<String, (Instant, String)>>>;

/// A running webhook. It ends when it is dropped.
pub(super) struct Receiver {
    url: String,
    arrivals: Arrivals,
    task: JoinHandle<io::Result<()>>,
}

impl Receiver {
    /// Listens on a free port of loopback.
    pub(super) async fn start() -> Result<Self> {
        let arrivals = Arrivals::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let routes = Router::new().route("/", post(take)).with_state(arrivals.clone());
        let task = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, arrivals, task })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Forgets what has arrived, but for one.
    pub(super) fn forget_all_but(&self, name: &str) {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).retain(|own, _| own == name);
    }

    /// All alerts that arrived while firing.
    pub(super) fn arrivals(&self) -> HashMap<String, (Instant, String)> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(arrivals): State<Arrivals>, Json(notice): Json<Notice>) -> StatusCode {
    let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
    for alert in notice.alerts.into_iter().filter(|alert| alert.status == "firing") {
        if let Some(name) = alert.labels.get("alertname") {
            let said = alert.annotations.get("description").cloned().unwrap_or_default();
            arrivals.entry(name.clone()).or_insert_with(|| (Instant::now(), said));
        }
    }
    StatusCode::NO_CONTENT
}
