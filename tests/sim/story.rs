//! One seed's story: its fleet, its jobs, its disasters, the quiet after them, and a day on which nothing is held.

use crate::{
    broker::SimBroker,
    check,
    handlers::{KINDS, registry},
    history::Counts,
    jobs,
    ledger::{Act, SimLedger},
    mutant::Mutant,
    operators,
    process::{Cause, Process},
    storm::{self, Ending},
    world::World,
};
use docket::fleet::{
    Progress,
    job::Status,
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
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

pub(crate) const LANE: &str = "default";
/// Faults end after this.
pub(crate) const STORM: Duration = Duration::from_secs(75);
/// A story that has not settled so long after that is a failure: a job that kills its workers needs five of them.
const PATIENCE: Duration = Duration::from_mins(10);
/// What is over must stay so.
const STILL: Duration = Duration::from_secs(5);
/// Longer than any hold of a story.
const LATER: Duration = Duration::from_hours(11);

/// What came of a seed.
#[derive(Debug)]
pub(crate) struct Told {
    /// Of everything that happened, in its order.
    pub(crate) digest: u64,
    pub(crate) counts: Counts,
    /// From the end of the faults until nothing was under way.
    pub(crate) settled: Duration,
    /// Queued jobs at most, in hundredths of the largest window until then.
    pub(crate) overshoot: usize,
    /// What must not be, one line each.
    pub(crate) faults: Vec<String>,
}

/// A place in the fleet: whatever process lives there, another one follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Scheduler,
    Worker { slots: u32 },
}

pub(crate) struct Story {
    pub(crate) world: Arc<World>,
    pub(crate) wake: broadcast::Sender<String>,
    /// Who lives in each place now.
    pub(crate) places: Mutex<Vec<Process>>,
    born: Mutex<u64>,
    over: CancellationToken,
}

/// Tells it to the end.
pub(crate) async fn tell(seed: u64, mutant: Mutant, is_told: bool) -> Told {
    let mut dice = StdRng::seed_from_u64(seed);
    let pointers = *[1, 4, 8].get(dice.random_range(0..3)).unwrap();
    let protocol = Protocol {
        pointers_min: pointers,
        pointers_max: pointers,
        // Small ones too: only beside a full batch a second one is on its way.
        batch: [1000, 4, 1][usize::try_from(seed % 3).unwrap()],
        // A copy too much and another too little look right to the count until this pass: an hour of a quiet fleet
        // would be most of the simulation's time.
        dead_audit: Duration::from_mins(1),
        ..Protocol::default()
    };
    let story = Arc::new(Story {
        world: Arc::new(World::new(seed, protocol, mutant, is_told)),
        wake: broadcast::channel(64).0,
        places: Mutex::default(),
        born: Mutex::new(0),
        over: CancellationToken::new(),
    });
    let mut fleet = start(&story, &mut dice);
    let streams = [1, 2, 3, 4].map(|n| StdRng::seed_from_u64(seed.wrapping_mul(31) + n));
    let [mut of_jobs, mut of_operators, mut of_storm, mut of_second] = streams;
    let ending = Ending::draw(&mut dice);
    tokio::join!(
        jobs::bring(&story, &mut of_jobs),
        operators::act(&story, &mut of_operators),
        storm::rage(&story, &mut of_storm),
        storm::rage(&story, &mut of_second),
    );
    storm::calm(&story, ending);
    let settled = settle(&story).await;
    let mut faults = if check::is_settled(&story.world) { Vec::new() } else { check::unsettled(&story.world) };
    free(&story).await;
    if !check::is_over(&story.world) {
        faults.extend(check::unsettled(&story.world));
    }
    story.over.cancel();
    story.places.lock().unwrap().iter().for_each(|process| process.stop().cancel());
    let stopped = timeout(PATIENCE, async { while fleet.join_next().await.is_some() {} }).await;
    faults.extend(stopped.is_err().then(|| "a process does not stop".to_owned()));
    faults.extend(check::faults(&story.world));
    story.told(settled, faults)
}

/// Two or three schedulers and three to five workers.
fn start(story: &Arc<Story>, dice: &mut StdRng) -> JoinSet<()> {
    let mut fleet = JoinSet::new();
    let schedulers = dice.random_range(2..=3);
    let workers = dice.random_range(3..=5);
    for place in 0..schedulers + workers {
        let role = if place < schedulers {
            Role::Scheduler
        } else {
            Role::Worker { slots: [1, 2, 3, 5, 8][dice.random_range(0..5)] }
        };
        let process = story.birth();
        story.places.lock().unwrap().push(process.clone());
        let pause = Duration::from_millis(dice.random_range(500..8000));
        fleet.spawn(live(story.clone(), place, role, process, pause));
    }
    fleet
}

/// Time after the faults until nothing was under way but what waits for its time.
async fn settle(story: &Story) -> Duration {
    let since = Instant::now();
    while !check::is_settled(&story.world) && since.elapsed() < PATIENCE {
        sleep(Duration::from_secs(1)).await;
    }
    since.elapsed()
}

/// Nothing is paused any more, and every hold's time has come: now every job must end.
async fn free(story: &Story) {
    let acts = KINDS.map(Act::ResumeKind).into_iter().chain([Act::ResumeLane]);
    for act in acts {
        operators::carry_out(story, &act);
    }
    story.world.ledger(|s| s.skew += i64::try_from(LATER.as_millis()).unwrap());
    let since = Instant::now();
    let mut is_still = false;
    // A message that was late may come to a quiet fleet, which then has to see to it.
    while !is_still && since.elapsed() < PATIENCE {
        let is_over = check::is_over(&story.world);
        sleep(if is_over { STILL } else { Duration::from_secs(1) }).await;
        is_still = is_over && check::is_over(&story.world);
    }
}

/// The processes of one place, one after another.
async fn live(story: Arc<Story>, place: usize, role: Role, mut process: Process, pause: Duration) {
    loop {
        let running = tokio::spawn(run(story.clone(), role, process.clone()));
        tokio::select! {
            biased;
            _ = running => {}
            () = process.died() => {}
        }
        // Whatever is left of it, its connections end here.
        story.world.kill(&process, Cause::End);
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

/// A process, until it stops by itself. Killed, it is never answered again: what its loops do then reaches nobody.
async fn run(story: Arc<Story>, role: Role, process: Process) {
    let world = story.world.clone();
    let ledger = SimLedger { world: world.clone(), process: process.clone() };
    let broker = SimBroker { world: world.clone(), process: process.clone() };
    let (wake, protocol, stop) = (story.wake.clone(), world.protocol.clone(), process.stop());
    let (name, lanes, progress) = ("sim".to_owned(), vec![LANE.to_owned()], Progress::default());
    match role {
        Role::Scheduler => {
            let settings = SchedulerSettings { name, lanes, retention: Retention::default(), progress };
            Scheduler::run(ledger, broker, settings, protocol, wake, stop).await;
        }
        Role::Worker { slots } => {
            let settings = WorkerSettings { name, lanes, slots, retention: Retention::default(), progress };
            let kinds = registry(&world, &process);
            let worker = Worker::start(ledger, broker, kinds, settings, protocol, wake.subscribe(), stop).await;
            if let Some(worker) = worker.expect("the settings make sense") {
                worker.stopped().await;
            }
        }
    }
}

impl Story {
    fn birth(&self) -> Process {
        let mut born = self.born.lock().unwrap();
        *born += 1;
        Process::new(*born)
    }

    fn told(&self, settled: Duration, faults: Vec<String>) -> Told {
        let history = &self.world.history;
        let overshoot = self.world.ledger(|s| {
            history.add("jobs", s.jobs.len());
            for status in Status::ALL {
                history.add(status.as_str(), s.jobs.values().filter(|job| job.status == status).count());
            }
            s.window.overshoot
        });
        history.add("processes", usize::try_from(*self.born.lock().unwrap()).unwrap());
        Told { digest: history.digest(), counts: history.counts(), settled, overshoot, faults }
    }
}
