//! What goes wrong with whole processes and services, and how it ends.

use crate::{
    broker::Place,
    process::{Blow, Cause},
    story::{STORM, Story},
};
use docket::fleet::job::{Band, Envelope, JobId, MessageId, Pointer};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};

/// A disaster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disaster {
    Kill,
    KillAtCall,
    Stall,
    StallAtCall,
    Drain,
    LedgerAway,
    BrokerAway,
    Wipe,
    Blocked,
    Leaderless,
    ClockJump,
    Purge,
    LoseOne,
    PurgeDead,
    Disconnect,
    Forge,
}

const ALL: [Disaster; 16] = [
    Disaster::Kill,
    Disaster::KillAtCall,
    Disaster::Stall,
    Disaster::StallAtCall,
    Disaster::Drain,
    Disaster::LedgerAway,
    Disaster::BrokerAway,
    Disaster::Wipe,
    Disaster::Blocked,
    Disaster::Leaderless,
    Disaster::ClockJump,
    Disaster::Purge,
    Disaster::LoseOne,
    Disaster::PurgeDead,
    Disaster::Disconnect,
    Disaster::Forge,
];

/// How the broker is left when the faults end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    /// Once more, when nothing is enqueued that would show it.
    LastPurge,
    AwayForGood,
    BlockedForGood,
    LeaderlessForGood,
}

impl Ending {
    pub(crate) fn draw(dice: &mut StdRng) -> Self {
        match dice.random_range(0..20) {
            0..12 => Self::Whole,
            12..17 => Self::LastPurge,
            17 => Self::AwayForGood,
            18 => Self::BlockedForGood,
            _ => Self::LeaderlessForGood,
        }
    }
}

/// A disaster every few seconds, until the storm is over. Each story has some of them and not the others, so that what one
/// would mend by chance is seen too.
pub(crate) async fn rage(story: &Story, dice: &mut StdRng) {
    let end = Instant::now() + STORM;
    let mut disasters: Vec<Disaster> = ALL.into_iter().filter(|_| dice.random_bool(0.6)).collect();
    // What happens to processes happens most.
    disasters.extend([Disaster::Kill, Disaster::Stall]);
    let pace = dice.random_range(2500..12_000);
    story.world.look(|queues| {
        queues.max_length = *[6, 1000, 1000].choose(dice).unwrap();
        queues.delivery_limit = *[1, 3, 50].choose(dice).unwrap();
    });
    while Instant::now() < end {
        sleep(Duration::from_millis(dice.random_range(0..2 * pace))).await;
        let disaster = *disasters.choose(dice).unwrap();
        tokio::select! {
            biased;
            () = strike(story, disaster, dice) => {}
            // `calm` mends what this leaves.
            () = sleep_until(end) => {}
        }
    }
}

async fn strike(story: &Story, disaster: Disaster, dice: &mut StdRng) {
    let world = &story.world;
    let long = Duration::from_millis(dice.random_range(200..25_000));
    let process = story.places.lock().unwrap().choose(dice).unwrap().clone();
    let calls = dice.random_range(0..60);
    match disaster {
        Disaster::Kill => world.kill(&process, Cause::Kill),
        Disaster::KillAtCall => process.light(calls, Blow::Kill),
        Disaster::Stall => world.freeze(&process, long * 2),
        Disaster::StallAtCall => {
            let time = Duration::from_secs([2, 9, 20, 45][dice.random_range(0..4)]);
            process.light(calls, Blow::Freeze(time));
        }
        Disaster::Drain => process.light(calls, Blow::Stop),
        Disaster::LedgerAway => {
            world.history.count("ledger away", &[]);
            world.set_ledger_away(true);
            sleep(long).await;
            world.set_ledger_away(false);
        }
        Disaster::ClockJump => {
            let seconds: i64 = [30, 600, 3600, -30, -120, -3600][dice.random_range(0..6)];
            world.history.count("clock jump", &[seconds]);
            world.ledger(|s| s.skew += seconds * 1000);
        }
        Disaster::Forge => forge(story, dice),
        _ => strike_broker(story, disaster, dice, long).await,
    }
}

async fn strike_broker(story: &Story, disaster: Disaster, dice: &mut StdRng, long: Duration) {
    let (world, band) = (&story.world, *Band::ALL.choose(dice).unwrap());
    match disaster {
        Disaster::BrokerAway => {
            world.history.count("broker away", &[]);
            world.broker(|queues| {
                queues.away = true;
                queues.disconnect(None);
            });
            sleep(long).await;
            world.broker(|queues| queues.away = false);
        }
        Disaster::Wipe => {
            world.history.count("broker wiped", &[]);
            world.broker(|queues| {
                (queues.away, queues.bare) = (true, true);
                queues.wipe();
            });
            sleep(long / 2).await;
            world.broker(|queues| queues.away = false);
            // The definitions are imported a moment after the first connections.
            sleep(Duration::from_millis(dice.random_range(0..2000))).await;
            world.broker(|queues| queues.bare = false);
        }
        Disaster::Blocked => {
            world.history.count("broker blocked", &[]);
            world.broker(|queues| queues.blocked = true);
            sleep(long).await;
            world.broker(|queues| queues.recover());
        }
        Disaster::Leaderless => {
            let place = if dice.random_bool(0.25) { Place::Dead } else { Place::Lane(band) };
            world.history.count("queue without leader", &[]);
            world.broker(|queues| queues.leaderless.insert(place));
            sleep(Duration::from_secs([5, 25, 70][dice.random_range(0..3)])).await;
            world.broker(|queues| queues.recover());
        }
        Disaster::Purge => {
            world.history.count("purge", &[]);
            world.broker(|queues| queues.purge(band));
        }
        Disaster::LoseOne => {
            world.history.count("one message lost", &[]);
            world.broker(|queues| queues.lose_one(band, dice.random_range(0..10)));
        }
        Disaster::PurgeDead => {
            world.history.count("purge of docket.dead", &[]);
            world.broker(|queues| queues.purge_dead());
        }
        _ => {
            world.history.count("connections cut", &[]);
            world.broker(|queues| queues.disconnect(None));
        }
    }
}

/// Messages that no scheduler wrote: garbage, pointers that never were, and what was sent before.
fn forge(story: &Story, dice: &mut StdRng) {
    let (world, band) = (&story.world, *Band::ALL.choose(dice).unwrap());
    world.history.count("message forged", &[]);
    let job = world.ledger(|s| s.jobs.values().nth(dice.random_range(0..s.jobs.len().max(1))).cloned());
    let pointer = job
        .as_ref()
        .map_or(Pointer(JobId(7), 1), |job| Pointer(job.id, (job.epoch + [-1, 0, 1][dice.random_range(0..3)]).max(1)));
    let message = job.and_then(|job| job.message).filter(|_| dice.random_bool(0.5)).unwrap_or(MessageId(99));
    match dice.random_range(0..5) {
        0 => {
            world.broker(|queues| queues.put(band, b"garbage".to_vec()));
        }
        1 => world.broker(|queues| queues.put_dead(None, b"garbage".to_vec())),
        2 => world.broker(|queues| queues.put_dead(Some(pointer), b"a copy".to_vec())),
        3 => {
            let body = Envelope::new(message, vec![pointer]).encode();
            world.broker(|queues| queues.put(band, body));
        }
        _ => world.broker(|queues| {
            if let Some((band, body)) = queues.sent.iter().collect::<Vec<_>>().choose(dice).copied().cloned() {
                queues.put(band, body);
            }
        }),
    }
}

/// Nothing goes wrong from here on, but for what a job does to its own worker, and a broker that stays as `ending` says.
pub(crate) fn calm(story: &Arc<Story>, ending: Ending) {
    let world = &story.world;
    world.chaos().quiet = true;
    world.set_ledger_away(false);
    for process in story.places.lock().unwrap().iter() {
        process.quench();
        process.thaw();
    }
    world.broker(|queues| {
        (queues.away, queues.bare) = (false, false);
        queues.recover();
        match ending {
            Ending::Whole | Ending::LastPurge => {}
            Ending::AwayForGood => {
                queues.away = true;
                queues.disconnect(None);
            }
            Ending::BlockedForGood => queues.blocked = true,
            Ending::LeaderlessForGood => {
                queues.leaderless.extend(Band::ALL.map(Place::Lane));
                queues.leaderless.insert(Place::Dead);
            }
        }
        queues.is_lost = !matches!(ending, Ending::Whole | Ending::LastPurge);
    });
    match ending {
        Ending::Whole => {}
        Ending::LastPurge => {
            let story = story.clone();
            tokio::spawn(async move {
                sleep(Duration::from_secs(6)).await;
                story.world.history.count("purge", &[]);
                story.world.broker(|queues| Band::ALL.into_iter().for_each(|band| queues.purge(band)));
            });
        }
        _ => world.history.count("broker lost for good", &[]),
    }
}
