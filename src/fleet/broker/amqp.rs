//! The broker port over AMQP.

use super::{
    check::{self, TopologyFault},
    consumer::AmqpSubscription,
    dead_pass::AmqpDeadPass,
    endpoint::Endpoint,
    flight::Job,
    inspect::Inspector,
    message::Message,
    publisher::Publisher,
    runner::{self, Runner},
    session::Session,
    settings::BrokerSettings,
    status::{BrokerStatus, StatusBoard},
    topology::{DEAD, Topology, queue_name},
};
use crate::{
    fleet::{
        job::Band,
        ports::{Broker, BrokerError, Outgoing, Prefetch, PublishOutcome},
    },
    telemetry::names,
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// After the publisher's own deadline: the caller never waits longer than this for its answer.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// RabbitMQ: two connections that are reopened for ever, on a runtime of their own. Clones share them; the last one
/// dropped closes them.
#[derive(Clone)]
pub struct AmqpBroker(Arc<Inner>);

struct Inner {
    settings: BrokerSettings,
    board: StatusBoard,
    queue: mpsc::Sender<Job>,
    session: watch::Receiver<Option<Arc<Session>>>,
    /// True when both connections are closed and the runtime has ended.
    finished: watch::Receiver<bool>,
    shutdown: CancellationToken,
    _close_on_drop: DropGuard,
}

impl std::fmt::Debug for AmqpBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AmqpBroker").field(&self.status()).finish()
    }
}

impl AmqpBroker {
    /// Starts connecting, and returns at once: a broker that is away is no error, see [`AmqpBroker::status`]. The
    /// connections close when `shutdown` fires, so it must fire after the last acknowledgement and publish.
    ///
    /// # Errors
    /// The URL is not one, or the machine has no thread left.
    pub fn start(
        url: &SecretString,
        settings: BrokerSettings,
        shutdown: &CancellationToken,
    ) -> Result<Self, BrokerError> {
        let endpoint = Endpoint::parse(url, &settings)?;
        let shutdown = shutdown.child_token();
        let board = StatusBoard::new();
        let (queue, jobs) = mpsc::channel(settings.queue.max(1));
        let (sessions, session) = watch::channel(None);
        let publisher =
            Publisher { queue: jobs, settings: settings.clone(), board: board.clone(), shutdown: shutdown.clone() };
        let runner = Runner { endpoint, settings: settings.clone(), board: board.clone(), shutdown: shutdown.clone() };
        let finished = runner::start(runner, publisher, sessions)
            .map_err(|e| BrokerError::Refused(format!("no thread for the broker's connections: {e}")))?;
        let guard = shutdown.clone().drop_guard();
        Ok(Self(Arc::new(Inner { settings, board, queue, session, finished, shutdown, _close_on_drop: guard })))
    }

    /// What is known of the connections.
    #[must_use]
    pub fn status(&self) -> BrokerStatus {
        self.0.board.read()
    }

    /// Waits until both connections are open.
    ///
    /// # Errors
    /// They are not within `limit`, with the last reason.
    pub async fn wait_ready(&self, limit: Duration) -> Result<(), BrokerError> {
        let mut status = self.0.board.watch();
        let ready = timeout(limit, status.wait_for(BrokerStatus::is_ready)).await;
        if matches!(ready, Ok(Ok(_))) {
            return Ok(());
        }
        Err(self.status().last_error.map_or(BrokerError::Timeout(limit), BrokerError::Away))
    }

    /// Closes both connections and waits until they are closed, a few seconds at most. Publishes that are not
    /// answered by then are unknown.
    pub async fn shutdown(&self) {
        self.0.shutdown.cancel();
        let mut finished = self.0.finished.clone();
        let limit = self.0.settings.drain + self.0.settings.rpc_deadline;
        // A thread that hangs ends with the process.
        let _ = timeout(limit, finished.wait_for(|finished| *finished)).await;
    }

    /// Whether the broker holds what the configuration names, as far as AMQP can tell: names, and types where this
    /// account may configure. Bindings and policies can't be asked for; a missing binding shows as a returned publish.
    ///
    /// # Errors
    /// What is missing or different, each with what to do.
    pub async fn check_topology(&self, topology: &Topology) -> Result<(), Vec<TopologyFault>> {
        let session = self.session().map_err(|error| {
            vec![TopologyFault::Unchecked { what: "the topology".to_owned(), error: error.to_string() }]
        })?;
        check::check(&self.inspector(&session), topology).await
    }

    /// The heartbeat that both sides agreed on, in seconds; 0 is none.
    ///
    /// # Errors
    /// There is no connection.
    pub fn heartbeat(&self) -> Result<u16, BrokerError> {
        Ok(self.session()?.heartbeat())
    }

    fn session(&self) -> Result<Arc<Session>, BrokerError> {
        let session = self.0.session.borrow().clone();
        session.filter(|session| session.is_connected()).ok_or_else(|| {
            BrokerError::Away(self.status().last_error.unwrap_or_else(|| "not connected yet".to_owned()))
        })
    }

    fn inspector<'a>(&self, session: &'a Session) -> Inspector<'a> {
        Inspector { session, limit: self.0.settings.rpc_deadline }
    }

    async fn publish_uncounted(&self, outgoing: &Outgoing) -> PublishOutcome {
        // Nothing was written in all these cases.
        if !self.can_publish() {
            return PublishOutcome::Nacked;
        }
        let message = match Message::new(outgoing) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(event = "broker.unpublishable", %error, "a message has a name that AMQP can't carry");
                return PublishOutcome::Nacked;
            }
        };
        let deadline = Instant::now() + self.0.settings.confirm_deadline;
        let Ok(Ok(place)) = timeout_at(deadline, self.0.queue.reserve()).await else { return PublishOutcome::Nacked };
        let (answer, outcome) = oneshot::channel();
        place.send(Job { message, deadline, answer });
        match timeout_at(deadline + ANSWER_GRACE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            // The publisher dropped it with its connection, or is late itself.
            Ok(Err(_)) | Err(_) => PublishOutcome::Unknown,
        }
    }
}

impl Broker for AmqpBroker {
    type Subscription = AmqpSubscription;
    type DeadPass = AmqpDeadPass;

    fn can_publish(&self) -> bool {
        self.0.board.can_publish()
    }

    async fn publish(&self, message: Outgoing) -> PublishOutcome {
        let since = Instant::now();
        let outcome = self.publish_uncounted(&message).await;
        metrics::counter!(names::PUBLISHED, "outcome" => outcome.as_str()).increment(1);
        if outcome == PublishOutcome::Confirmed {
            metrics::histogram!(names::CONFIRM_DURATION).record(since.elapsed());
        }
        outcome
    }

    async fn depth(&self, lane: &str, band: Band) -> Result<u64, BrokerError> {
        self.inspector(&*self.session()?).depth(&queue_name(lane, band)).await
    }

    async fn dead_depth(&self) -> Result<u64, BrokerError> {
        self.inspector(&*self.session()?).depth(DEAD).await
    }

    async fn has_generation(&self, generation: i32) -> Result<bool, BrokerError> {
        self.inspector(&*self.session()?).has_generation(generation).await
    }

    async fn declare_generation(&self, generation: i32) -> Result<(), BrokerError> {
        self.inspector(&*self.session()?).declare_generation(generation).await
    }

    async fn subscribe(&self, lane: &str, prefetch: Prefetch) -> Result<AmqpSubscription, BrokerError> {
        AmqpSubscription::open(self.session()?, lane, prefetch, self.0.settings.rpc_deadline).await
    }

    async fn dead_pass(&self) -> Result<AmqpDeadPass, BrokerError> {
        AmqpDeadPass::open(&*self.session()?, self.0.settings.rpc_deadline).await
    }
}
