//! Single jobs that arrive together share one INSERT and one commit.
//!
//! A batch is what waits when the one before has committed, so a lone job goes at once. A crowd of callers that ask again
//! as soon as they are answered would fall into two halves that take turns; a moment's patience brings them together.

use super::{
    GateError,
    writer::{Settled, Writer},
};
use crate::fleet::{enqueue::Enqueued, job::NewJob};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

/// Jobs of a batch, at most: its statement stays short, and so does the wait of those behind it.
const BATCH_MAX: usize = 500;
/// Callers that wait, at most. Each holds a connection, and of these there are fewer.
const QUEUE_MAX: usize = 2_000;
/// Who has waited longer for its turn is sent away: its answer would come too late.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// tokio's timers count milliseconds.
const SHORTEST_TIMER: Duration = Duration::from_millis(1);

/// Takes single jobs.
#[derive(Clone, Debug)]
pub(super) struct Batcher(mpsc::Sender<Ask>);

#[derive(Debug)]
struct Ask {
    job: NewJob,
    since: Instant,
    answer: oneshot::Sender<Result<Enqueued, GateError>>,
}

impl Batcher {
    /// Runs until the last handle is gone.
    pub(super) fn start(writer: Writer) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(run(writer, receiver));
        Self(sender)
    }

    /// Enqueues one job, checked before. Dropped before its turn, it is as if it had never been asked.
    pub(super) async fn enqueue(&self, job: NewJob) -> Result<Enqueued, GateError> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Ask { job, since: Instant::now(), answer }).map_err(|_| GateError::Busy)?;
        answered.await.unwrap_or_else(|_| Err(GateError::Unknown("the batch was given up".to_owned())))
    }
}

/// The batch before: how many callers there were when it ended, answered or waiting, and how long it took.
#[derive(Clone, Copy, Default)]
struct Last {
    callers: usize,
    took: Duration,
}

async fn run(writer: Writer, mut asks: mpsc::Receiver<Ask>) {
    let (mut batch, mut last) = (Vec::new(), Last::default());
    while asks.recv_many(&mut batch, BATCH_MAX).await > 0 {
        gather(&mut asks, &mut batch, last).await;
        let begun = Instant::now();
        let answers = serve(&writer, wanted(&mut batch)).await;
        last = Last { callers: answers.len() + asks.len(), took: begun.elapsed() };
        for (ask, answer) in answers {
            // Who went away meanwhile may ask again, with its key.
            let _ = ask.send(answer);
        }
    }
}

/// Waits for those who were just answered to ask again, for half of what a commit takes, or a millisecond, at most. Two
/// callers would gain nothing.
async fn gather(asks: &mut mpsc::Receiver<Ask>, batch: &mut Vec<Ask>, last: Last) {
    let expected = last.callers.min(BATCH_MAX);
    if expected <= 2 {
        return;
    }
    let until = Instant::now() + (last.took / 2).max(SHORTEST_TIMER);
    while batch.len() < expected {
        match timeout_at(until, asks.recv()).await {
            Ok(Some(ask)) => batch.push(ask),
            _ => return,
        }
    }
}

/// Those whose callers still wait. A fixed order of keys, so that the batches of two processes can't block each other.
fn wanted(batch: &mut Vec<Ask>) -> Vec<Ask> {
    let mut wanted = Vec::with_capacity(batch.len());
    for ask in batch.drain(..) {
        if ask.since.elapsed() > WAIT_MAX {
            let _ = ask.answer.send(Err(GateError::Busy));
        } else if !ask.answer.is_closed() {
            wanted.push(ask);
        }
    }
    wanted.sort_by(|a, b| a.job.idempotency_key.cmp(&b.job.idempotency_key));
    wanted
}

type Answer = (oneshot::Sender<Result<Enqueued, GateError>>, Result<Enqueued, GateError>);

/// Writes a batch. If the database refuses it, each job on its own: a bad one must not spoil the others.
async fn serve(writer: &Writer, batch: Vec<Ask>) -> Vec<Answer> {
    let (jobs, asks): (Vec<NewJob>, Vec<_>) = batch.into_iter().map(|ask| (ask.job, ask.answer)).unzip();
    if jobs.is_empty() {
        return Vec::new();
    }
    let answers = match writer.batch(&jobs).await {
        Ok(settled) => each(settled),
        Err(GateError::Refused(_) | GateError::Repeat(_)) => one_by_one(writer, &jobs).await,
        Err(error) => vec![Err(error); jobs.len()],
    };
    asks.into_iter().zip(answers).collect()
}

async fn one_by_one(writer: &Writer, jobs: &[NewJob]) -> Vec<Result<Enqueued, GateError>> {
    let (begun, mut answers) = (Instant::now(), Vec::with_capacity(jobs.len()));
    for job in jobs {
        answers.push(if begun.elapsed() > WAIT_MAX {
            Err(GateError::Busy)
        } else {
            writer.batch(std::slice::from_ref(job)).await.and_then(|settled| each(settled).remove(0))
        });
    }
    answers
}

fn each(settled: Settled) -> Vec<Result<Enqueued, GateError>> {
    let vanished = || GateError::Repeat("the job with this key is being deleted".to_owned());
    settled.into_iter().map(|enqueued| enqueued.ok_or_else(vanished)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask() -> Ask {
        let job = NewJob::new("greet", &json!({})).expect("JSON");
        Ask { job, since: Instant::now(), answer: oneshot::channel().0 }
    }

    /// How many a batch of `first` becomes where there were so many callers and `more` ask again at once, and what that
    /// took.
    async fn gathered(first: usize, callers: usize, more: usize) -> (usize, Duration) {
        let (sender, mut asks) = mpsc::channel(QUEUE_MAX);
        let mut batch: Vec<Ask> = (0..first).map(|_| ask()).collect();
        for _ in 0..more {
            sender.try_send(ask()).expect("there is room");
        }
        let begun = Instant::now();
        gather(&mut asks, &mut batch, Last { callers, took: Duration::from_millis(8) }).await;
        (batch.len(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_caller_waits_for_nobody() {
        assert_eq!(gathered(1, 0, 0).await, (1, Duration::ZERO), "the first ever");
        assert_eq!(gathered(1, 1, 0).await, (1, Duration::ZERO), "one that comes again");
        assert_eq!(gathered(1, 2, 0).await, (1, Duration::ZERO), "two that take turns");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_comes_back_is_one_batch_and_waits_no_longer_than_for_itself() {
        assert_eq!(gathered(4, 8, 4).await, (8, Duration::ZERO), "two halves meet");
        assert_eq!(gathered(1, 8, 7).await, (8, Duration::ZERO), "and stay together");
        assert_eq!(gathered(4, 8, 3).await, (7, Duration::from_millis(4)), "half of what a commit takes");
        assert_eq!(gathered(400, 800, 400).await.0, BATCH_MAX);
    }
}
