//! The thread that the connections live on.
//!
//! lapin's heartbeats are tokio tasks: on the program's own runtime, handlers that block its threads would lose the
//! connection. So there is a runtime for the broker alone.

use super::{
    endpoint::Endpoint,
    publisher::Publisher,
    session::Session,
    settings::BrokerSettings,
    status::{Role, StatusBoard},
    supervisor::{Supervisor, Work},
};
use std::{convert::Infallible, sync::Arc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What both roles need.
pub(super) struct Runner {
    pub(super) endpoint: Endpoint,
    pub(super) settings: BrokerSettings,
    pub(super) board: StatusBoard,
    pub(super) shutdown: CancellationToken,
}

/// Starts the thread; the receiver turns true when it has ended its work.
pub(super) fn start(
    runner: Runner,
    publisher: Publisher,
    sessions: watch::Sender<Option<Arc<Session>>>,
) -> std::io::Result<watch::Receiver<bool>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("docket-amqp-io")
        .enable_all()
        .build()?;
    let (finish, finished) = watch::channel(false);
    std::thread::Builder::new().name("docket-amqp".to_owned()).spawn(move || {
        let publishing = runner.supervisor(Role::Publish);
        let consuming = runner.supervisor(Role::Consume);
        let handout = Handout { sessions, board: runner.board, shutdown: runner.shutdown };
        runtime.block_on(async {
            // Boxed: the two futures are large, and live as long as the program.
            tokio::join!(Box::pin(publishing.supervise(publisher)), Box::pin(consuming.supervise(handout)));
        });
        runtime.shutdown_background();
        // Nobody may wait for it any more.
        let _ = finish.send(true);
    })?;
    Ok(finished)
}

impl Runner {
    fn supervisor(&self, role: Role) -> Supervisor {
        Supervisor {
            role,
            endpoint: self.endpoint.clone(),
            settings: self.settings.clone(),
            board: self.board.clone(),
            shutdown: self.shutdown.clone(),
        }
    }
}

/// The consuming role: hands its connection out to whoever subscribes or asks.
struct Handout {
    sessions: watch::Sender<Option<Arc<Session>>>,
    board: StatusBoard,
    shutdown: CancellationToken,
}

/// Takes the connection back when the role's future ends or is dropped.
struct Lent<'a>(&'a watch::Sender<Option<Arc<Session>>>);

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}

impl Work for Handout {
    async fn run(&mut self, session: &Arc<Session>) -> String {
        self.sessions.send_replace(Some(session.clone()));
        let _lent = Lent(&self.sessions);
        self.board.set_open(Role::Consume, true);
        self.shutdown.cancelled().await;
        "shutdown".to_owned()
    }

    async fn idle(&mut self) -> Infallible {
        std::future::pending().await
    }
}
