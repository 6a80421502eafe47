//! Notifications of new jobs: hints that come faster than a poll.

use tokio::sync::broadcast;

/// Resolves when the lane, or every lane, was notified. Missed notifications count as one.
pub(in crate::fleet) async fn notified(wake: &mut broadcast::Receiver<String>, lane: &str) {
    loop {
        match wake.recv().await {
            Ok(payload) if payload == lane || payload.is_empty() => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
