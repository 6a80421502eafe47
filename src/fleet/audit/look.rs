//! One look at ledger and broker.

use super::watch::AuditSettings;
use crate::fleet::{
    job::{Band, Pointer},
    ledger::{
        audit::{self, AuditedWorker, Holding, Unclaimed},
        read::{LaneStats, QueueStats, queue_stats},
    },
    ports::{Broker, BrokerError, Outgoing, PublishOutcome},
};
use futures_util::{StreamExt, future::BoxFuture, stream};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{Client, Error};

/// What one look showed. Two of them make a verdict.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    /// Above every message of this look.
    pub(super) watermark: i64,
    /// 0: the fleet never had a broker, and so no job is in one.
    pub(super) generation: i32,
    pub(super) bands: BTreeMap<(String, Band), BandLook>,
    /// The head of each lane's line that some worker could run.
    pub(super) heads: BTreeMap<String, Vec<Pointer>>,
    pub(super) workers: BTreeMap<i64, AuditedWorker>,
    pub(super) held: BTreeMap<i64, Holding>,
    pub(super) doubles: i64,
    /// Parents whose counters contradict their children.
    pub(super) orphaned: Vec<Pointer>,
    pub(super) dead: i64,
    /// Messages in docket.dead; none: the broker did not say.
    pub(super) dead_depth: Option<i64>,
    /// Jobs that wait, are held, in flight or dead.
    pub(super) jobs: i64,
}

/// A band of a lane.
#[derive(Clone, Debug, Default)]
pub(super) struct BandLook {
    /// Unclaimed messages in the ledger, the larger of the counts before and after the queue was asked.
    pub(super) messages: i64,
    /// Ready messages in the queue; none: the broker did not say.
    pub(super) ready: Option<i64>,
    pub(super) route: Route,
    /// A message to it was confirmed just now: a count of 0 is no leader's silence.
    pub(super) proven: bool,
    /// Probes of the audit that may still be in the queue; they are not counted as ready.
    pub(super) outstanding: i64,
    /// The oldest messages of the ledger that the queue is too short for, each with its jobs.
    pub(super) lacking: BTreeMap<i64, i64>,
    /// Due jobs, counted where nothing routes them.
    pub(super) due: i64,
}

/// Whether a band's messages reach a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Route {
    /// Nobody asked, or nobody answered.
    #[default]
    Unknown,
    There,
    Missing,
}

/// Bands that are asked for at once.
const AT_ONCE: usize = 8;

/// Looks. What is old is what was there at the look before.
pub(super) async fn look<B: Broker>(
    client: &Client,
    broker: &B,
    settings: &AuditSettings,
    before: Option<&Look>,
) -> Result<Look, Error> {
    let (watermark, generation) = audit::watermark(client).await?;
    let old = before.map_or(0, |before| before.watermark);
    let workers = audit::workers(client).await?;
    let stats = queue_stats(client).await?;
    let lanes: BTreeSet<String> = settings.lanes.iter().cloned().chain(at_work(&stats)).collect();
    let first = audit::unclaimed(client, old).await?;
    let questions = lanes.iter().flat_map(|lane| Band::ALL.map(|band| (lane.clone(), band))).map(|key| Question {
        is_served: workers.values().any(|worker| worker.serves(&key.0)),
        messages: first.get(&key).map_or(0, |unclaimed| unclaimed.messages),
        outstanding: before.and_then(|before| before.bands.get(&key)).map_or(0, |band| band.outstanding),
        lane: key.0,
        band: key.1,
    });
    let questions = if generation == 0 { Vec::new() } else { questions.collect() };
    let asked = ask(broker, questions).await;
    let second = audit::unclaimed(client, old).await?;
    let mut look = Look { watermark, generation, workers, jobs: jobs(&stats), ..Look::default() };
    for (question, answer) in asked {
        let key = (question.lane, question.band);
        let band = band(client, &key, answer, question.messages, second.get(&key).copied().unwrap_or_default(), old);
        look.bands.insert(key.clone(), band.await?);
    }
    for lane in lanes {
        let kinds = kinds(&look.workers, &lane);
        let head = audit::head(client, &lane, &kinds, settings.suspect_losses).await?;
        look.heads.insert(lane, head);
    }
    look.held = audit::held_by(client).await?;
    look.doubles = audit::doubles(client, old).await?;
    look.orphaned = audit::waiting(client).await?;
    look.dead = audit::dead(client).await?;
    if generation > 0 {
        look.dead_depth = broker.dead_depth().await.ok().map(number);
    }
    Ok(look)
}

/// What answer and ledger say together.
async fn band(
    client: &Client,
    (lane, band): &(String, Band),
    answer: Answer,
    messages: i64,
    now: Unclaimed,
    old: i64,
) -> Result<BandLook, Error> {
    let Answer { route, proven, ready, outstanding } = answer;
    let lack = match (route, ready) {
        (Route::Missing, _) => now.old,
        (_, Some(ready)) if proven => now.old - ready,
        _ => 0,
    };
    let mut look =
        BandLook { messages: messages.max(now.messages), ready, route, proven, outstanding, ..BandLook::default() };
    if lack > 0 {
        look.lacking = audit::oldest(client, lane, *band, old, lack).await?;
    }
    if route == Route::Missing {
        look.due = audit::due(client, lane).await?.get(band).copied().unwrap_or_default();
    }
    Ok(look)
}

/// Lanes that have something to do.
fn at_work(stats: &QueueStats) -> impl Iterator<Item = String> {
    stats.lanes.iter().filter(|(_, lane)| lane.runnable + lane.queued > 0).map(|(name, _)| name.clone())
}

fn jobs(stats: &QueueStats) -> i64 {
    let open = |lane: &LaneStats| lane.runnable + lane.held_total() + lane.queued + lane.processing + lane.dead_letter;
    stats.lanes.values().map(open).sum()
}

/// Kinds that the lane's workers know.
fn kinds(workers: &BTreeMap<i64, AuditedWorker>, lane: &str) -> Vec<String> {
    let of_lane = workers.values().filter(|worker| worker.serves(lane));
    of_lane.flat_map(|worker| worker.kinds.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A question about a band, with what the answer is judged by.
struct Question {
    lane: String,
    band: Band,
    /// A worker would take a probe.
    is_served: bool,
    /// Unclaimed messages in the ledger.
    messages: i64,
    /// A probe of an earlier look that nobody may have taken.
    outstanding: i64,
}

/// What the broker says of a band.
#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    route: Route,
    proven: bool,
    /// Without the probe that is still there.
    ready: Option<i64>,
    outstanding: i64,
}

/// Asks each band's queue.
async fn ask<B: Broker>(broker: &B, questions: Vec<Question>) -> Vec<(Question, Answer)> {
    let mut asks: Vec<BoxFuture<'static, (Question, Answer)>> = Vec::new();
    for question in questions {
        let broker = broker.clone();
        asks.push(Box::pin(async move {
            let answer = ask_one(&broker, &question).await;
            (question, answer)
        }));
    }
    stream::iter(asks).buffer_unordered(AT_ONCE).collect().await
}

/// Where a worker would take it, a probe goes out: its confirm proves that the queue is reached and counts. Not where more
/// is ready than the ledger has: then nobody takes it, and one probe that waits is enough.
async fn ask_one<B: Broker>(broker: &B, question: &Question) -> Answer {
    let mut ready = match broker.depth(&question.lane, question.band).await {
        Ok(ready) => number(ready),
        Err(BrokerError::Topology(_)) => return Answer { route: Route::Missing, ..Answer::default() },
        Err(_) => return Answer { outstanding: question.outstanding, ..Answer::default() },
    };
    let mut answer = Answer::default();
    if ready > question.messages {
        answer.outstanding = question.outstanding;
    } else if question.is_served && broker.can_publish() {
        let probe = Outgoing::Probe { lane: question.lane.clone(), band: question.band };
        match broker.publish(probe).await {
            PublishOutcome::Confirmed => (answer.route, answer.proven, answer.outstanding) = (Route::There, true, 1),
            PublishOutcome::Returned => answer.route = Route::Missing,
            PublishOutcome::Nacked | PublishOutcome::Unknown => {}
        }
    }
    if answer.proven {
        match broker.depth(&question.lane, question.band).await {
            Ok(depth) => ready = number(depth),
            Err(_) => answer.proven = false,
        }
    }
    answer.ready = Some((ready - answer.outstanding).max(0));
    answer
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
