//! What the service manager is told (systemd's `Type=notify`): ready, alive, stopping. Without its socket, nothing.

use crate::http::Health;
use sd_notify::NotifyState;
use std::{future::Future, time::Duration};
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

/// How often the status is looked at where no watchdog asks for more.
const LOOK: Duration = Duration::from_secs(5);
/// A watchdog is never fed more often than this.
const SHORTEST: Duration = Duration::from_millis(10);
/// How long an end waits until it is told.
const LONGEST: Duration = Duration::from_secs(2);

/// Whether anybody listens.
fn is_managed() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Tells what a start waits for.
pub(super) async fn waiting(reason: &str) {
    if is_managed() {
        send(vec![status(&format!("waiting: {reason}"))]).await;
    }
}

/// What is told in the background.
#[must_use = "a process that ends at once takes the word of its stop with it"]
pub(super) struct Telling(oneshot::Receiver<()>);

impl Telling {
    /// Waits until the stop is told; the shutdown has begun.
    pub(super) async fn stop(self) {
        // Somebody who reads nothing holds up no end.
        let _ = timeout(LONGEST, self.0).await;
    }
}

/// Tells in the background: ready when `working` resolves; then, at half of the watchdog's time, that the role lives, as
/// long as the checks of `/livez` pass; the status as it changes; and that it stops.
///
/// The checks decide, and the role's own runtime runs them: a loop that stands still, or a runtime that does, is not
/// fed for.
pub(super) fn watch(
    health: Health,
    working: impl Future<Output = ()> + Send + 'static,
    shutdown: CancellationToken,
) -> Telling {
    let (told, telling) = oneshot::channel();
    if !is_managed() {
        return Telling(telling);
    }
    tokio::spawn(async move {
        if shutdown.run_until_cancelled(working).await.is_some() {
            send(vec!["READY=1".to_owned(), status(&health.summary())]).await;
            feed(&health, Some(&shutdown)).await;
        }
        send(vec!["STOPPING=1".to_owned(), status("stopping: what runs may end within the grace period")]).await;
        // Nobody waits yet, or any more.
        let _ = told.send(());
        // A drain takes its time, and is watched like the rest.
        feed(&health, None).await;
    });
    Telling(telling)
}

/// Until the shutdown; without one, to the process's end, and then the status stays what it is.
async fn feed(health: &Health, shutdown: Option<&CancellationToken>) {
    let watchdog = sd_notify::watchdog_enabled();
    let mut ticks = interval(watchdog.map_or(LOOK, |limit| (limit / 2).max(SHORTEST)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (never, mut told) = (CancellationToken::new(), health.summary());
    while shutdown.unwrap_or(&never).run_until_cancelled(ticks.tick()).await.is_some() {
        let mut news = Vec::new();
        if watchdog.is_some() && health.is_live() {
            news.push("WATCHDOG=1".to_owned());
        }
        let summary = health.summary();
        if shutdown.is_some() && summary != told {
            news.push(status(&summary));
            told = summary;
        }
        if !news.is_empty() {
            send(news).await;
        }
    }
}

/// One line, whatever a check says.
fn status(text: &str) -> String {
    let line: String = text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("STATUS={line}")
}

/// The socket's buffer may be full: then a thread for it waits, and no other is started meanwhile.
async fn send(lines: Vec<String>) {
    let sent = tokio::task::spawn_blocking(move || {
        let states: Vec<NotifyState<'_>> = lines.iter().map(|line| NotifyState::Custom(line)).collect();
        sd_notify::notify(&states)
    });
    if let Ok(Err(error)) = sent.await {
        tracing::warn!(event = "manager.unreachable", %error, "the service manager can't be told; check NOTIFY_SOCKET");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_within_bounds() {
        assert_eq!(status("degraded: a\nWATCHDOG=1\u{1b}"), "STATUS=degraded: a WATCHDOG=1 ");
        assert_eq!(status(&"é".repeat(1000)).chars().count(), "STATUS=".len() + 200);
    }
}
