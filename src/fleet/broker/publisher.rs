//! The publishing role: one channel in confirm mode, reopened when it is in doubt. It never publishes anything twice.

use super::{
    backoff::Backoff,
    flight::{Flight, Job, Trouble},
    session::{Session, rpc},
    settings::BrokerSettings,
    status::{Role, StatusBoard},
    supervisor::Work,
};
use crate::fleet::ports::BrokerError;
use lapin::{Channel, options::ConfirmSelectOptions};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How often a blocked connection is asked whether it still is.
const BLOCKED_LOOK: Duration = Duration::from_millis(100);

pub(super) struct Publisher {
    /// Bounded: callers wait in `publish`, up to their deadline.
    pub(super) queue: mpsc::Receiver<Job>,
    pub(super) settings: BrokerSettings,
    pub(super) board: StatusBoard,
    pub(super) shutdown: CancellationToken,
}

impl Work for Publisher {
    async fn run(&mut self, session: &Arc<Session>) -> String {
        let mut backoff = Backoff::new(self.settings.backoff_min, self.settings.backoff_max);
        loop {
            let channel = match self.open(session).await {
                Ok(channel) => channel,
                Err(error) => return error.to_string(),
            };
            self.board.set_open(Role::Publish, true);
            let trouble = self.publish(session, &channel, &mut backoff).await;
            self.board.set_open(Role::Publish, false);
            let Some(trouble) = trouble else {
                self.refuse_waiting();
                return "shutdown".to_owned();
            };
            let reason = describe(&trouble, session.is_blocked());
            if !session.is_connected() {
                return reason;
            }
            if self.board.set_error(&reason) {
                tracing::warn!(event = "broker.channel_reopened", error = reason, "reopening the publishing channel");
            }
            drop(channel);
            self.refuse_for(backoff.delay()).await;
            // Opening a channel on a blocked connection hangs.
            while session.is_blocked() && session.is_connected() {
                self.refuse_for(BLOCKED_LOOK).await;
            }
        }
    }

    async fn idle(&mut self) -> Infallible {
        loop {
            match self.queue.recv().await {
                Some(job) => job.refuse(),
                None => std::future::pending().await,
            }
        }
    }
}

impl Publisher {
    async fn open(&self, session: &Session) -> Result<Channel, BrokerError> {
        let channel = session.channel(self.settings.rpc_deadline).await?;
        rpc(self.settings.rpc_deadline, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(channel)
    }

    /// Publishes until the channel is in doubt, or until shutdown (none).
    async fn publish(&mut self, session: &Session, channel: &Channel, backoff: &mut Backoff) -> Option<Trouble> {
        let mut flight = Flight::default();
        let trouble = loop {
            tokio::select! {
                biased; // answers first: they make room
                (answered, trouble) = flight.settle() => {
                    if answered {
                        backoff.reset();
                    }
                    if trouble.is_some() {
                        break trouble;
                    }
                }
                () = self.shutdown.cancelled() => break None,
                Some(job) = self.queue.recv(), if flight.len() < self.settings.window.max(1) => {
                    if session.is_blocked() || job.deadline <= Instant::now() {
                        job.refuse();
                    } else {
                        flight.send(job, channel);
                    }
                }
            }
        };
        self.board.set_open(Role::Publish, false);
        // Answers that are on their way are worth a moment; the rest is unknown.
        let drain = async {
            while flight.len() > 0 {
                flight.settle().await;
            }
        };
        // Either way the flight ends here.
        let _ = timeout(self.settings.drain, drain).await;
        trouble
    }

    /// At the end: what waits for a place will not be written.
    fn refuse_waiting(&mut self) {
        self.queue.close();
        while let Ok(job) = self.queue.try_recv() {
            job.refuse();
        }
    }

    /// Waits, and answers callers meanwhile.
    async fn refuse_for(&mut self, pause: Duration) {
        tokio::select! {
            () = sleep(pause) => {}
            () = self.shutdown.clone().cancelled_owned() => {}
            never = self.idle() => match never {},
        }
    }
}

fn describe(trouble: &Trouble, blocked: bool) -> String {
    match trouble {
        Trouble::Failed(why) => format!("publishing failed: {why}"),
        Trouble::Late if blocked => {
            "the broker holds publishers back, a memory or disk alarm: free what its log names".to_owned()
        }
        Trouble::Late => "a publish was not confirmed in time".to_owned(),
        Trouble::Nacks => "the broker refuses publish after publish: a queue is full, or its leader is away".to_owned(),
        Trouble::NotRequested => "the channel is not in confirm mode: a mistake in Docket, report it".to_owned(),
    }
}
