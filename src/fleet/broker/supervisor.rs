//! One role, one connection, for ever: connect, work, tear down, back off.

use super::{
    backoff::Backoff,
    connect::connect,
    endpoint::Endpoint,
    news::HELD,
    session::Session,
    settings::BrokerSettings,
    status::{Role, StatusBoard},
};
use crate::{
    fleet::handler::{Component, ErrorClass},
    telemetry::names,
};
use std::{convert::Infallible, sync::Arc};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// What a role does with its connection, and without.
pub(super) trait Work {
    /// While there is a connection. Returns when it can't be used any more, with the reason, or at shutdown.
    async fn run(&mut self, session: &Arc<Session>) -> String;
    /// While there is none.
    async fn idle(&mut self) -> Infallible;
}

/// Keeps one role connected until shutdown.
pub(super) struct Supervisor {
    pub(super) role: Role,
    pub(super) endpoint: Endpoint,
    pub(super) settings: BrokerSettings,
    pub(super) board: StatusBoard,
    pub(super) shutdown: CancellationToken,
}

impl Supervisor {
    pub(super) async fn supervise(&self, mut work: impl Work) {
        let mut backoff = Backoff::new(self.settings.backoff_min, self.settings.backoff_max);
        while !self.shutdown.is_cancelled() {
            let outcome = tokio::select! {
                () = self.shutdown.cancelled() => return,
                outcome = self.open() => outcome,
                never = work.idle() => match never {},
            };
            match outcome {
                Ok(session) => {
                    let since = Instant::now();
                    self.use_session(&session, &mut work).await;
                    // A session that held was a good one: the next connect starts with the shortest delay.
                    if since.elapsed() >= HELD {
                        backoff.reset();
                    }
                }
                Err(error) => {
                    Component::Broker.failed(ErrorClass::Connect);
                    if self.board.set_error(&error) {
                        let role = self.role.as_str();
                        tracing::warn!(event = "broker.lost", role, error, "can't connect to the broker, trying again");
                    }
                }
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = sleep(backoff.delay()) => {}
                never = work.idle() => match never {},
            }
        }
    }

    async fn open(&self) -> Result<Arc<Session>, String> {
        let name = format!("{} {}", self.settings.name, self.role.as_str());
        let (connection, socket) = connect(&self.endpoint, &name, self.settings.connect_deadline).await?;
        Ok(Arc::new(Session::new(connection, socket)))
    }

    /// Works with a connection until it ends.
    async fn use_session(&self, session: &Arc<Session>, work: &mut impl Work) {
        let (role, address) = (self.role.as_str(), &self.endpoint.address);
        tracing::info!(event = "broker.connected", role, address, "connected to the broker");
        let reason = tokio::select! {
            reason = session.watch(self.role, &self.board) => reason,
            reason = work.run(session) => reason,
        };
        self.board.set_open(self.role, false);
        self.board.set_blocked(self.role, false);
        session.close().await;
        if self.shutdown.is_cancelled() {
            return;
        }
        metrics::counter!(names::BROKER_RECONNECTS, "connection" => role).increment(1);
        Component::Broker.failed(ErrorClass::Connect);
        if self.board.set_error(&reason) {
            tracing::warn!(event = "broker.lost", role, address, error = reason, "lost the broker, reconnecting");
        }
    }
}
