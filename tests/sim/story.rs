//! One seed's story: its fleet, its jobs, its disasters, and the quiet after them.

use crate::{
    broker::SimBroker,
    check,
    handlers::{Script, plain, registry, writer},
    ledger::SimLedger,
    process::Process,
    world::{Mutant, World},
};
use docket::fleet::{
    Progress,
    job::{JobId, Status},
    ports::Retention,
    scheduler::{Scheduler, SchedulerSettings},
    settings::Protocol,
    worker::{Worker, WorkerSettings},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::broadcast,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

const LANE: &str = "default";
/// Faults end after this.
const STORM: Duration = Duration::from_secs(90);
/// A story that has not settled so long after that is a failure. The model of the protocol needs 147 s (p99).
const PATIENCE: Duration = Duration::from_secs(900);

/// What the seeds went through, so that an idle simulation shows.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    seeds: usize,
    jobs: usize,
    completed: usize,
    dead_letters: usize,
    attempts: usize,
    rescued: usize,
    processes: u64,
    slowest: Duration,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.jobs += other.jobs;
        self.completed += other.completed;
        self.dead_letters += other.dead_letters;
        self.attempts += other.attempts;
        self.rescued += other.rescued;
        self.processes += other.processes;
        self.slowest = self.slowest.max(other.slowest);
    }
}

/// A place in the fleet: whatever process lives there, another one follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Scheduler,
    Worker { slots: u32 },
}

struct Story {
    world: Arc<World>,
    wake: broadcast::Sender<String>,
    /// Who lives in each place now.
    places: Mutex<Vec<Process>>,
    born: Mutex<u64>,
    over: CancellationToken,
}

/// Tells it to the end.
pub(crate) async fn tell(seed: u64, mutant: Mutant) -> Result<Tally, String> {
    let mut dice = StdRng::seed_from_u64(seed);
    let protocol =
        Protocol { pointers_max: *[1, 1, 4, 16].get(dice.random_range(0..4)).unwrap(), ..Protocol::default() };
    let story = Arc::new(Story {
        world: Arc::new(World::new(seed, protocol, mutant)),
        wake: broadcast::channel(64).0,
        places: Mutex::default(),
        born: Mutex::new(0),
        over: CancellationToken::new(),
    });
    let mut fleet = JoinSet::new();
    let schedulers = dice.random_range(1..=2);
    let workers = dice.random_range(2..=3);
    for place in 0..schedulers + workers {
        let role = if place < schedulers { Role::Scheduler } else { Role::Worker { slots: dice.random_range(1..=4) } };
        let process = story.birth();
        story.places.lock().unwrap().push(process.clone());
        fleet.spawn(live(story.clone(), place, role, process, Duration::from_millis(dice.random_range(500..8000))));
    }
    tokio::join!(bring_jobs(&story, StdRng::seed_from_u64(seed + 1)), storm(&story, &mut dice));
    story.calm();
    let slowest = settle(&story).await;
    story.over.cancel();
    story.places.lock().unwrap().iter().for_each(|process| process.stop().cancel());
    let stopped = timeout(PATIENCE, async { while fleet.join_next().await.is_some() {} }).await;
    let mut faults = check::faults(&story.world);
    faults.extend(stopped.is_err().then(|| "a process does not stop".to_owned()));
    if faults.is_empty() { Ok(story.tally(slowest)) } else { Err(faults.join("\n  ")) }
}

/// Time after the faults until nothing was under way. What is wrong when patience ends, the checker says.
async fn settle(story: &Story) -> Duration {
    let since = Instant::now();
    let audit = 2 * story.world.protocol.dead_audit;
    while !check::is_settled(&story.world) {
        // docket.dead with one copy too much and one too little looks right to its count, until the hourly pass.
        let patience = if check::is_at_rest(&story.world) { audit } else { PATIENCE };
        if since.elapsed() > patience {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let took = since.elapsed();
    // And it stays so.
    sleep(Duration::from_secs(20)).await;
    took
}

/// The processes of one place, one after another.
async fn live(story: Arc<Story>, place: usize, role: Role, mut process: Process, pause: Duration) {
    loop {
        let (ledger, broker) = (
            SimLedger { world: story.world.clone(), process: process.clone() },
            SimBroker { world: story.world.clone(), process: process.clone() },
        );
        let (wake, protocol, stop) = (story.wake.clone(), story.world.protocol.clone(), process.stop());
        let (name, lanes, progress) = ("sim".to_owned(), vec![LANE.to_owned()], Progress::default());
        let kinds = registry(&story.world, &process);
        // A task of its own: the loops' own tasks must not die with it, as they don't when it is dropped.
        let running = tokio::spawn(async move {
            match role {
                Role::Scheduler => {
                    let settings = SchedulerSettings { name, lanes, retention: Retention::default(), progress };
                    Scheduler::run(ledger, broker, settings, protocol, wake, stop).await;
                }
                Role::Worker { slots } => {
                    let settings = WorkerSettings { name, lanes, slots, progress };
                    let (wake, stop) = (wake.subscribe(), stop);
                    let worker = Worker::start(ledger, broker, kinds, settings, protocol, wake, stop).await;
                    if let Some(worker) = worker.expect("the settings make sense") {
                        worker.stopped().await;
                    }
                }
            }
        });
        tokio::select! {
            _ = running => {}
            () = process.died() => {}
        }
        // Whatever is left of it, its connections end here.
        story.world.kill(&process);
        if story.over.is_cancelled() {
            return;
        }
        sleep(pause).await;
        process = story.birth();
        story.places.lock().unwrap()[place] = process.clone();
        if story.over.is_cancelled() {
            return;
        }
    }
}

/// Jobs come during the first two thirds of the storm.
async fn bring_jobs(story: &Story, mut dice: StdRng) {
    let count = dice.random_range(10..60);
    for _ in 0..count {
        sleep(Duration::from_millis(dice.random_range(0..2000))).await;
        let has_children = dice.random_bool(0.1);
        let jobs = if has_children { dice.random_range(1..4) } else { 0 };
        let priority = *[100, 100, 100, 200, 10, -5].get(dice.random_range(0..6)).unwrap();
        let parent = script(&mut dice);
        let parent = if dice.random_bool(0.7) { writer(&parent) } else { plain(&parent) }.priority(priority);
        let children: Vec<_> = (0..jobs).map(|_| writer(&script(&mut dice))).collect();
        story.world.ledger(|s| {
            let id: JobId = s.insert(if has_children { parent.waits_for_children() } else { parent });
            for child in children {
                s.insert(child.child_of(id));
            }
        });
        if dice.random_bool(0.5) {
            // No scheduler listens: it polls.
            let _ = story.wake.send(LANE.to_owned());
        }
    }
}

fn script(dice: &mut StdRng) -> Script {
    let run_ms = *[0, 5, 50, 800, 5000].get(dice.random_range(0..5)).unwrap();
    let script = Script { run_ms, ..Script::default() };
    match dice.random_range(0..40) {
        0..4 => Script { fail_first: 1, ..script },
        4..6 => Script { fail_first: 2, ..script },
        6..9 => Script { fail_first: 3, ..script },
        9..11 => Script { refuse: true, ..script },
        11 => Script { discard: true, ..script },
        12..14 => Script { bad_effects: true, ..script },
        14..16 => Script { spawn: dice.random_range(1..4), ..script },
        16 => Script { run_ms: dice.random_range(10_000..40_000), ..script },
        17 if dice.random_bool(0.3) => Script { kill: true, ..script },
        _ => script,
    }
}

/// A disaster every few seconds, until the storm is over.
async fn storm(story: &Story, dice: &mut StdRng) {
    let end = Instant::now() + STORM;
    let pace = dice.random_range(1500..12_000);
    while Instant::now() < end {
        sleep(Duration::from_millis(dice.random_range(0..2 * pace))).await;
        let long = Duration::from_millis(dice.random_range(200..25_000));
        let process = {
            let places = story.places.lock().unwrap();
            places[dice.random_range(0..places.len())].clone()
        };
        let world = &story.world;
        match dice.random_range(0..12) {
            0..3 => world.kill(&process),
            3 | 4 => process.freeze(Instant::now() + long),
            5 => process.stop().cancel(),
            6 => {
                world.set_ledger_away(true);
                sleep(long).await;
                world.set_ledger_away(false);
            }
            7 => {
                world.broker(|queues| {
                    queues.away = true;
                    queues.disconnect(None);
                });
                sleep(long).await;
                world.broker(|queues| queues.away = false);
            }
            8 => {
                world.broker(|queues| queues.blocked = true);
                sleep(long).await;
                world.broker(|queues| queues.blocked = false);
            }
            9 => world.broker(|queues| queues.wipe()),
            10 => world
                .broker(|queues| if long.as_millis().is_multiple_of(2) { queues.purge() } else { queues.purge_dead() }),
            _ => world.broker(|queues| queues.disconnect(None)),
        }
    }
    sleep_until(end).await;
}

impl Story {
    fn birth(&self) -> Process {
        let mut born = self.born.lock().unwrap();
        *born += 1;
        Process::new(*born)
    }

    /// Nothing goes wrong from here on, but for what a job does to its own worker.
    fn calm(&self) {
        self.world.chaos().quiet = true;
        self.places.lock().unwrap().iter().for_each(|process| process.freeze(Instant::now()));
    }

    fn tally(&self, slowest: Duration) -> Tally {
        let processes = *self.born.lock().unwrap();
        self.world.ledger(|s| {
            let ended = |status| s.jobs.values().filter(|job| job.status == status).count();
            Tally {
                seeds: 1,
                jobs: s.jobs.len(),
                completed: ended(Status::Completed),
                dead_letters: ended(Status::DeadLetter),
                attempts: s.attempts,
                rescued: s.rescued,
                processes,
                slowest,
            }
        })
    }
}
