//! The accept loop.

use super::{
    Health, HttpSettings, Limits, Problem, TOKENS_MAX,
    access::{Access, TOKEN_MIN_BYTES},
    observe,
    service::{Shared, handle},
    slots::{Slot, Slots, Taken},
    target::Target,
};
use crate::telemetry::Metrics;
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use nix::sys::resource::{Resource, getrlimit};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Why a process can't listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Someone else listens there.
    #[error("{0} is in use by another process: choose another port, or 0 for a free one")]
    InUse(SocketAddr),
    /// Any other refusal of the system.
    #[error("can't listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A network could reach it, and no token is set.
    #[error(
        "{0} can be reached from the network, and no token is set: set one of at least {TOKEN_MIN_BYTES} bytes, or listen \
         on 127.0.0.1"
    )]
    Unguarded(SocketAddr),
    /// Two tokens of one name: events could not tell who acted.
    #[error("there are two tokens with the name {0:?}: rename one (the token of DOCKET_HTTP_TOKEN is \"default\")")]
    TokenTwice(String),
    /// Each request is compared with all of them.
    #[error("there are more than {TOKENS_MAX} tokens")]
    ManyTokens,
    /// The token can be guessed.
    #[error("the token is too short: give at least {TOKEN_MIN_BYTES} random bytes")]
    WeakToken,
}

/// What a process answers.
#[derive(Clone, Debug)]
pub struct Routes {
    /// `/metrics`.
    pub metrics: Metrics,
    /// `/livez` and `/readyz`.
    pub health: Health,
    /// Everything else; none: 404.
    pub api: Option<axum::Router>,
}

/// A listener at work.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens: the real port, also when 0 was asked for.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until it has drained, after `shutdown`.
    pub async fn stopped(self) {
        // It ends by itself or by a panic, which the runtime has reported.
        let _ = self.task.await;
    }
}

/// Listens, and answers in the background until `shutdown`; then finishes what is running, within the drain time.
///
/// # Errors
/// When the address can't be had, or would be open to a network without a token.
pub async fn serve(settings: HttpSettings, routes: Routes, shutdown: CancellationToken) -> Result<Running, ServeError> {
    let access = Access::of(&settings)?;
    let listener = TcpListener::bind(settings.addr).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::InUse(settings.addr),
        _ => ServeError::Bind { addr: settings.addr, source },
    })?;
    let addr = listener.local_addr().map_err(|source| ServeError::Bind { addr: settings.addr, source })?;
    let target = settings.targets_dir.as_deref().and_then(|dir| {
        let announced = Target::announce(dir, settings.role, addr);
        if let Err(error) = &announced {
            let dir = dir.display();
            tracing::warn!(event = "http.unannounced", %dir, %error, "Prometheus won't find this process");
        }
        announced.ok()
    });
    let shared = Shared { access, routes, limits: settings.limits };
    tracing::info!(event = "http.listening", addr = %addr, "listening");
    let task = tokio::spawn(async move {
        accept(listener, shared, shutdown).await;
        drop(target);
    });
    Ok(Running { addr, task })
}

async fn accept(listener: TcpListener, shared: Shared, shutdown: CancellationToken) {
    let limits = shared.limits;
    let slots = Slots::new(places(limits.connections));
    let graceful = GracefulShutdown::new();
    let (cut, mut told) = (CancellationToken::new(), false);
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let stream = match accepted {
            Ok((stream, _)) => {
                told = false;
                stream
            }
            Err(error) => {
                // Out of file descriptors, mostly: others have to end first. Told once, and tried for as long as it takes.
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(event = "http.accept_failed", error = %error, "can't accept connections");
                }
                shutdown.run_until_cancelled(tokio::time::sleep(Duration::from_millis(100))).await;
                continue;
            }
        };
        let Some((slot, taken)) = slots.take(&cut) else {
            observe::refused();
            refuse(stream).await;
            continue;
        };
        if taken == Taken::Displaced {
            observe::displaced();
        }
        let (shared, watcher, slot) = (shared.clone(), graceful.watcher(), Arc::new(slot));
        tokio::spawn(async move {
            slot.cut().run_until_cancelled(connection(stream, shared, watcher, &slot)).await;
        });
        // Others get a turn: else a crowd that arrives at once displaces a probe before its request, which came with it, was
        // looked at.
        tokio::task::yield_now().await;
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(event = "http.cut", "requests still ran after the drain time and are cut");
        cut.cancel();
    }
}

/// Connections at once: those of the settings, but never more than a quarter of the files that this process may open. What
/// it works with, the database and the broker, must not lack one because clients hold them all.
fn places(wanted: usize) -> usize {
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    let share = usize::try_from(files / 4).unwrap_or(usize::MAX).max(1);
    if share < wanted {
        tracing::warn!(
            event = "http.few_files",
            files,
            connections = share,
            "fewer connections than configured, because this process may open few files; raise its limit"
        );
    }
    wanted.min(share)
}

async fn connection(stream: TcpStream, shared: Shared, watcher: Watcher, slot: &Arc<Slot>) {
    let Limits { header_bytes, headers, header, connection, .. } = shared.limits;
    // The answer is one small write; waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    let slot = slot.clone();
    let service = service_fn(move |request| {
        let (shared, slot) = (shared.clone(), slot.clone());
        async move {
            // Given away while the request arrived: the connection is about to be cut, and nothing must be begun.
            let Some(_busy) = slot.busy() else { return std::future::pending().await };
            handle(shared, request).await
        }
    });
    let http = http1::Builder::new()
        // Without a timer hyper has no deadline for headers at all.
        .timer(TokioTimer::new())
        .header_read_timeout(header)
        .max_headers(headers)
        .max_header_size(header_bytes)
        .max_buf_size(header_bytes + 8 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(connection, watcher.watch(http)).await {
        Ok(Ok(())) => {}
        // A client that went away, or never said a whole sentence, is no news.
        Ok(Err(error)) => tracing::debug!(event = "http.connection_ended", error = %error, "connection ended"),
        Err(_) => tracing::debug!(event = "http.connection_old", "connection reached its age"),
    }
}

/// Says why, without waiting for a client that doesn't listen.
async fn refuse(mut stream: TcpStream) {
    let problem = Problem::unavailable("too many connections", "close some, or try again").into_response();
    let (parts, body) = problem.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut text = format!(
        "HTTP/1.1 {}\r\nconnection: close\r\nx-content-type-options: nosniff\r\ncontent-length: {}\r\n",
        parts.status,
        body.len()
    );
    for (name, value) in &parts.headers {
        text.push_str(name.as_str());
        text.push_str(": ");
        text.push_str(value.to_str().unwrap_or_default());
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&body);
    // A new socket's buffer takes it at once.
    let _ = tokio::time::timeout(Duration::from_millis(100), stream.write_all(&bytes)).await;
}
