//! What is known of the connections: for readiness, start-up messages and gauges.

use super::news::News;
use crate::telemetry::names;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{sync::watch, time::Instant};

/// One of the two connections. They are apart because a blocked connection holds back acknowledgements too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Publishes, with confirms.
    Publish,
    /// Consumes, counts and declares.
    Consume,
}

impl Role {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Consume => "consume",
        }
    }
}

/// The state of the connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerStatus {
    /// The publishing channel is open, in confirm mode, and not in backoff.
    pub publishing: bool,
    /// The consuming connection is open.
    pub consuming: bool,
    /// The broker holds back publishers: a memory or disk alarm.
    pub blocked: bool,
    /// Why the last connection or channel was lost or refused, and what to do; none while all is well.
    pub last_error: Option<String>,
}

impl BrokerStatus {
    /// Both connections are open.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.publishing && self.consuming
    }
}

/// Writes the status and its gauges.
#[derive(Clone, Debug)]
pub(super) struct StatusBoard {
    status: watch::Sender<BrokerStatus>,
    news: Arc<Mutex<News>>,
}

impl StatusBoard {
    pub(super) fn new() -> Self {
        let board = Self { status: watch::Sender::new(BrokerStatus::default()), news: Arc::default() };
        for role in [Role::Publish, Role::Consume] {
            gauge(names::BROKER_CONNECTED, role, false);
            gauge(names::BROKER_BLOCKED, role, false);
        }
        board
    }

    pub(super) fn read(&self) -> BrokerStatus {
        self.status.borrow().clone()
    }

    pub(super) fn can_publish(&self) -> bool {
        let status = self.status.borrow();
        status.publishing && !status.blocked
    }

    pub(super) fn watch(&self) -> watch::Receiver<BrokerStatus> {
        self.status.subscribe()
    }

    /// A role can, or can no longer, do its work.
    pub(super) fn set_open(&self, role: Role, open: bool) {
        gauge(names::BROKER_CONNECTED, role, open);
        self.status.send_modify(|status| {
            match role {
                Role::Publish => status.publishing = open,
                Role::Consume => status.consuming = open,
            }
            if status.is_ready() {
                status.last_error = None;
            }
            self.news().ready(status.is_ready(), Instant::now());
        });
    }

    pub(super) fn set_blocked(&self, role: Role, blocked: bool) {
        gauge(names::BROKER_BLOCKED, role, blocked);
        if role == Role::Publish {
            self.status.send_modify(|status| status.blocked = blocked);
        }
    }

    /// Why a connection or the publishing channel was lost or refused. True: the log has not told it yet.
    pub(super) fn set_error(&self, error: &str) -> bool {
        self.status.send_modify(|status| status.last_error = Some(error.to_owned()));
        self.news().is_new(error)
    }

    fn news(&self) -> std::sync::MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gauge(name: &'static str, role: Role, on: bool) {
    metrics::gauge!(name, "connection" => role.as_str()).set(if on { 1.0 } else { 0.0 });
}
