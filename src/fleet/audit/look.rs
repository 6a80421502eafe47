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
    let asked = match generation {
        0 => BTreeMap::new(),
        _ => ask(broker, &lanes, &workers).await,
    };
    let second = audit::unclaimed(client, old).await?;
    let mut look = Look { watermark, generation, workers, jobs: jobs(&stats), ..Look::default() };
    for (key, (route, proven, ready)) in asked {
        let count = |all: &BTreeMap<_, Unclaimed>| all.get(&key).copied().unwrap_or_default();
        let (first, second) = (count(&first), count(&second));
        let mut band =
            BandLook { messages: first.messages.max(second.messages), ready, route, proven, ..BandLook::default() };
        let lack = match (route, ready) {
            (Route::Missing, _) => second.old,
            (_, Some(ready)) if proven => second.old - ready,
            _ => 0,
        };
        if lack > 0 {
            band.lacking = audit::oldest(client, &key.0, key.1, old, lack).await?;
        }
        if route == Route::Missing {
            band.due = audit::due(client, &key.0).await?.get(&key.1).copied().unwrap_or_default();
        }
        look.bands.insert(key, band);
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
    let of_lane = workers.values().filter(|worker| worker.takes_work && worker.lanes.iter().any(|l| l == lane));
    of_lane.flat_map(|worker| worker.kinds.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}

type Asked = (Route, bool, Option<i64>);

/// Asks each band's queue. Where a worker would take it, a probe goes out first: its answer proves that the queue is
/// reached and counts.
async fn ask<B: Broker>(
    broker: &B,
    lanes: &BTreeSet<String>,
    workers: &BTreeMap<i64, AuditedWorker>,
) -> BTreeMap<(String, Band), Asked> {
    let has_worker = |lane: &String| workers.values().any(|worker| worker.takes_work && worker.lanes.contains(lane));
    let mut asks: Vec<BoxFuture<'static, ((String, Band), Asked)>> = Vec::new();
    for lane in lanes {
        let probe = has_worker(lane);
        for band in Band::ALL {
            let (broker, lane) = (broker.clone(), lane.clone());
            asks.push(Box::pin(async move {
                let asked = ask_one(&broker, &lane, band, probe).await;
                ((lane, band), asked)
            }));
        }
    }
    stream::iter(asks).buffer_unordered(AT_ONCE).collect().await
}

async fn ask_one<B: Broker>(broker: &B, lane: &str, band: Band, probe: bool) -> Asked {
    let mut route = Route::Unknown;
    let mut proven = false;
    if probe && broker.can_publish() {
        match broker.publish(Outgoing::Probe { lane: lane.to_owned(), band }).await {
            PublishOutcome::Confirmed => (route, proven) = (Route::There, true),
            PublishOutcome::Returned => route = Route::Missing,
            PublishOutcome::Nacked | PublishOutcome::Unknown => {}
        }
    }
    match broker.depth(lane, band).await {
        // The probe itself may still be there.
        Ok(ready) => (route, proven, Some((number(ready) - i64::from(proven)).max(0))),
        Err(BrokerError::Topology(_)) => (Route::Missing, false, None),
        Err(_) => (route, false, None),
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
