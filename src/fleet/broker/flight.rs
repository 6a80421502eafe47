//! Publishes on one channel that wait for their confirm.

use super::{
    message::Message,
    verdict::{Answer, Judge},
};
use crate::fleet::{
    crash::{self, Point},
    ports::PublishOutcome,
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use lapin::{Channel, Confirmation, message::BasicReturnMessage, options::BasicPublishOptions};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

/// A caller that waits for the outcome of its publish.
pub(super) struct Job {
    pub(super) message: Message,
    pub(super) deadline: Instant,
    pub(super) answer: oneshot::Sender<PublishOutcome>,
}

impl Job {
    /// Nothing was written: the job of the message may go elsewhere at once.
    pub(super) fn refuse(self) {
        // The caller may have stopped waiting.
        let _ = self.answer.send(PublishOutcome::Nacked);
    }
}

type Sent = (String, oneshot::Sender<PublishOutcome>, Answer);

/// Why a channel can't be used any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The channel failed, with what the broker said.
    Failed(String),
    /// A confirm did not come within its deadline.
    Late,
    /// Many nacks in a row: a full queue, or a channel that is stuck to a dead node.
    Nacks,
    /// Confirms were not requested: a mistake in the program.
    NotRequested,
}

/// Many: a channel that was opened just after a queue's leader died nacks for as long as that node is down.
const NACKS_IN_A_ROW: u32 = 20;

#[derive(Default)]
pub(super) struct Flight {
    sent: FuturesUnordered<BoxFuture<'static, Sent>>,
    judge: Judge,
    nacks: u32,
}

impl Flight {
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Writes a message. Dropping the flight does not unsend it. A message whose twin is under way is refused: a return
    /// could not be told from the other's.
    pub(super) fn send(&mut self, job: Job, channel: &Channel) {
        let id = job.message.id.to_string();
        if !self.judge.sent(&id) {
            job.refuse();
            return;
        }
        let Job { message, deadline, answer } = job;
        let channel = channel.clone();
        self.sent.push(Box::pin(async move {
            let outcome = timeout_at(deadline, publish(&channel, message)).await;
            (id, answer, outcome.unwrap_or(Answer::Late))
        }));
    }

    /// Waits for at least one answer and tells the callers. Never resolves while nothing is in flight.
    /// Returns whether the broker took or returned something, and what is wrong with the channel.
    pub(super) async fn settle(&mut self) -> (bool, Option<Trouble>) {
        let Some(first) = self.sent.next().await else { return std::future::pending().await };
        let mut batch = vec![first];
        // All that is ready, so that a return is seen before the ack of the message that it belongs to.
        while let Some(Some(next)) = self.sent.next().now_or_never() {
            batch.push(next);
        }
        let mut trouble = None;
        for (_, _, answer) in &batch {
            match answer {
                Answer::Ack(_) | Answer::Nack(_) => {}
                Answer::Failed(why) => trouble = Some(Trouble::Failed(why.clone())),
                Answer::Late => drop(trouble.get_or_insert(Trouble::Late)),
                Answer::NotRequested => drop(trouble.get_or_insert(Trouble::NotRequested)),
            }
        }
        let mut answered = false;
        for (answer, outcome) in self.judge.judge(batch) {
            match outcome {
                PublishOutcome::Confirmed | PublishOutcome::Returned => (answered, self.nacks) = (true, 0),
                PublishOutcome::Nacked => self.nacks += 1,
                PublishOutcome::Unknown => {}
            }
            // The caller may have stopped waiting.
            let _ = answer.send(outcome);
        }
        if self.nacks >= NACKS_IN_A_ROW {
            trouble.get_or_insert(Trouble::Nacks);
        }
        (answered, trouble)
    }
}

async fn publish(channel: &Channel, message: Message) -> Answer {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let carries_jobs = message.carries_jobs();
    let Message { exchange, routing_key, body, properties, .. } = message;
    let written = channel.basic_publish(exchange.into(), routing_key, options, &body, properties).await;
    let confirmed = match written {
        Ok(confirm) => {
            if carries_jobs {
                crash::point(Point::AfterPublish);
            }
            confirm.await
        }
        Err(error) => Err(error),
    };
    match confirmed {
        Ok(Confirmation::Ack(returned)) => Answer::Ack(returned.map(|message| returned_id(&message))),
        Ok(Confirmation::Nack(returned)) => Answer::Nack(returned.map(|message| returned_id(&message))),
        Ok(Confirmation::NotRequested) => Answer::NotRequested,
        Err(error) => Answer::Failed(error.to_string()),
    }
}

fn returned_id(message: &BasicReturnMessage) -> String {
    message.delivery.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default()
}
