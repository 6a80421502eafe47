//! A scheduler from its start to its stop.

use super::{
    dispatch::Dispatcher,
    health::PublishHealth,
    put_off::PutOff,
    retention,
    shared::{Confirmed, Shared},
    sweeps::Sweeps,
    view::View,
};
use crate::fleet::{
    Progress,
    dead_letter::Projection,
    job::WorkerId,
    ports::{Broker, Ledger, Retention, WorkerSpec},
    settings::Protocol,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a scheduler serves.
#[derive(Clone, Debug)]
pub struct SchedulerSettings {
    /// For people, in the table `workers`.
    pub name: String,
    /// Lanes that it dispatches.
    pub lanes: Vec<String>,
    /// How long ended jobs are kept.
    pub retention: Retention,
    /// Marked by each sweep that succeeds.
    pub progress: Progress,
}

impl Default for Retention {
    /// 30 days completed, 90 days failed and cancelled; dead letters stay.
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self { completed: 30 * day, failed: 90 * day, kinds: Vec::new() }
    }
}

/// The loops of a scheduler.
#[derive(Debug)]
pub struct Scheduler;

const RETRY: Duration = Duration::from_millis(500);
const SIGN_OFF: Duration = Duration::from_secs(2);

impl Scheduler {
    /// Runs until `shutdown`. `wake` brings notifications of new jobs: the lane, or an empty text for all lanes. Without
    /// them it polls.
    pub async fn run<L: Ledger, B: Broker>(
        ledger: L,
        broker: B,
        settings: SchedulerSettings,
        protocol: Protocol,
        wake: broadcast::Sender<String>,
        shutdown: CancellationToken,
    ) {
        let shared = Arc::new(Shared {
            ledger,
            broker,
            health: PublishHealth::new(protocol.clone()),
            protocol,
            lanes: settings.lanes.clone(),
            view: watch::Sender::new(View::default()),
            confirmed: Confirmed::default(),
            put_off: PutOff::default(),
            shutdown: shutdown.clone(),
            progress: settings.progress,
            tasks: TaskTracker::new(),
        });
        let mut loops = JoinSet::new();
        loops.spawn(Sweeps::new(shared.clone()).run(wake.subscribe()));
        loops.spawn(beat(shared.clone(), settings.name));
        loops.spawn(retention::run(shared.clone(), settings.retention));
        let dead = Projection::new(shared.ledger.clone(), shared.broker.clone(), shared.protocol.clone());
        loops.spawn(dead.run(shutdown.clone()));
        for lane in settings.lanes {
            loops.spawn(Dispatcher::new(shared.clone(), lane).run(wake.subscribe()));
        }
        tracing::info!(event = "scheduler.started", lanes = ?shared.lanes, "scheduler started");
        while let Some(ended) = loops.join_next().await {
            if let Err(e) = ended {
                // A loop that panics is a defect; the others must not go on as if nothing had happened.
                tracing::error!(event = "scheduler.broken", error = %e, "a loop of the scheduler ended badly");
                shutdown.cancel();
            }
        }
        shared.tasks.close();
        tracing::info!(event = "scheduler.stopped", "scheduler stopped");
    }
}

/// Registers as a worker without slots, so that schedulers can count each other, and beats.
async fn beat<L: Ledger, B: Broker>(shared: Arc<Shared<L, B>>, name: String) {
    let spec = WorkerSpec { name, slots: 0, lanes: Vec::new(), kinds: Vec::new() };
    let mut id: Option<WorkerId> = None;
    loop {
        let pause = match id {
            None => {
                id = shared.ledger.register(&spec).await.ok();
                RETRY
            }
            Some(held) => {
                match shared.ledger.beat(held, &[]).await {
                    Ok(beat) if beat.gone => id = None,
                    Ok(_) => {}
                    Err(error) => tracing::debug!(%error, "no heartbeat"),
                }
                shared.protocol.heartbeat
            }
        };
        tokio::select! {
            biased;
            () = shared.shutdown.cancelled() => break,
            () = sleep(pause) => {}
        }
    }
    if let Some(id) = id {
        // Not signed off: its counter stands still, and others see that.
        let _ = timeout(SIGN_OFF, shared.ledger.deregister(id)).await;
    }
}
