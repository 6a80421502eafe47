//! One connection while it lasts.

use super::{
    connect::Socket,
    endpoint::broker_error,
    status::{Role, StatusBoard},
};
use crate::fleet::ports::BrokerError;
use futures_util::StreamExt as _;
use lapin::{Channel, Connection, Event};
use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// How often a connection is looked at, besides its events.
const LOOK: Duration = Duration::from_secs(1);
/// A close waits this long for the broker's answer; then the socket is shut down.
const CLOSE: Duration = Duration::from_secs(1);

/// A connection and what ends it.
pub(super) struct Session {
    connection: Connection,
    socket: Socket,
    ended: CancellationToken,
    reason: Mutex<Option<String>>,
}

impl Session {
    pub(super) fn new(connection: Connection, socket: Socket) -> Self {
        Self { connection, socket, ended: CancellationToken::new(), reason: Mutex::new(None) }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.status().connected() && !self.ended.is_cancelled()
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// As it was agreed on, in seconds.
    pub(super) fn heartbeat(&self) -> u16 {
        self.connection.configuration().heartbeat()
    }

    /// Gives the connection up: its supervisor opens another one. The first reason counts.
    pub(super) fn fail(&self, reason: impl Into<String>) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.into());
        self.ended.cancel();
    }

    /// A new channel within the deadline.
    pub(super) async fn channel(&self, limit: Duration) -> Result<Channel, BrokerError> {
        if !self.is_connected() {
            return Err(BrokerError::Away("the connection is lost".to_owned()));
        }
        rpc(limit, self.connection.create_channel()).await
    }

    /// Resolves when the connection is over, with the reason. Follows alarms meanwhile.
    pub(super) async fn watch(&self, role: Role, board: &StatusBoard) -> String {
        let mut events = std::pin::pin!(self.connection.events_listener());
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.ended.cancelled() => {
                    let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).take();
                    return reason.unwrap_or_else(|| "given up".to_owned());
                }
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(why)) => {
                        tracing::warn!(event = "broker.blocked", role = role.as_str(), why, "broker holds back publishers");
                        board.set_blocked(role, true);
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!(event = "broker.unblocked", role = role.as_str(), "broker takes publishes again");
                        board.set_blocked(role, false);
                    }
                    // A channel's error is an event too, and no reason to end the connection.
                    Some(Event::Error(error)) if !self.connection.status().connected() => return error.to_string(),
                    Some(_) => {}
                    None => return "the connection is gone".to_owned(),
                },
                _ = look.tick() => if !self.connection.status().connected() {
                    return "the connection is closed".to_owned();
                },
            }
        }
    }

    /// Closes the connection, whatever clones of its channels are still held.
    pub(super) async fn close(&self) {
        self.ended.cancel();
        if self.connection.status().connected() && !self.is_blocked() {
            // No answer, or an error: the socket decides.
            let _ = timeout(CLOSE, self.connection.close(200, "bye".into())).await;
        }
        self.socket.shut_down();
    }
}

/// A round trip with a deadline.
pub(super) async fn rpc<T>(limit: Duration, call: impl Future<Output = lapin::Result<T>>) -> Result<T, BrokerError> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| broker_error(&error)),
        Err(_) => Err(BrokerError::Timeout(limit)),
    }
}
