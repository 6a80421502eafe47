//! The outside world: an HTTP server that writes down each call that it answers.

use super::{
    evidence::Call,
    witness::{Lines, monotonic_us},
};
use anyhow::Result;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use std::{io, net::Ipv4Addr, path::Path};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running sink. It ends when it is dropped.
pub(super) struct Sink {
    url: String,
    task: JoinHandle<io::Result<()>>,
}

impl Sink {
    /// Listens on a free port of loopback; calls are on disk before they are answered.
    pub(super) async fn start(file: &Path) -> Result<Self> {
        let lines = Lines::open(file)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let routes = Router::new().route("/", post(take)).with_state(lines);
        let task = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, task })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(lines): State<Lines>, headers: HeaderMap, body: String) -> StatusCode {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let Ok(job) = body.parse() else { return StatusCode::BAD_REQUEST };
    match lines.write(&Call { at_us: monotonic_us(), key, job }).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
