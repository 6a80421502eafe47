//! The fleet of a drill, and who watches it.

use super::{
    Drill, DrillReport, SeenAlert, Step,
    receiver::Receiver,
    vendors::{self, Vendors},
};
use crate::{
    dev::{
        chaos::kinds::{self, Act},
        fleet::{Fleet, FleetSpec, Member, MemberSpec},
        monitoring::{Monitoring, MonitoringSpec},
    },
    fleet::{
        audit,
        enqueue::{Notify, enqueue},
        job::NewJob,
    },
};
use anyhow::{Context, Result, ensure};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

/// Workers, and slots of each.
const WORKERS: usize = 2;
const SLOTS: usize = 8;
/// A process of the fleet is ready in this time, however busy the machine is.
const READY: Duration = Duration::from_mins(2);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// All jobs have ended in this time after a fault.
const SETTLE: Duration = Duration::from_mins(5);
/// An alert has arrived in this time: two scrapes, two evaluations, and what the rule itself asks for.
const ALERT: Duration = Duration::from_mins(1);
/// Gauges are read again in this time, and scraped: what fires after that is no leftover of the start.
const QUIET: Duration = Duration::from_secs(6);
/// Always fires.
const WATCHDOG: &str = "DocketWatchdog";
/// What a drill may not leave behind.
const LEFT: &str = "select count(*) from jobs where status in ('pending', 'queued', 'processing', 'dead_letter')";
/// The scheduler has audited in this time after a fault.
const AUDIT: Duration = Duration::from_mins(1);

/// Where a drill takes place.
#[derive(Clone, Debug)]
pub struct DrillSpec {
    /// State of the servers and logs of the processes.
    pub dir: PathBuf,
    /// The program.
    pub binary: PathBuf,
    /// What an operator would do is left to one.
    pub by_hand: bool,
}

/// Everything that a drill has.
pub(super) struct Stage<'a> {
    pub(super) fleet: Fleet,
    pub(super) workers: Vec<Arc<Member>>,
    /// What a drill of the domain asks.
    pub(super) vendors: Option<Vendors>,
    pub(super) monitoring: Option<Monitoring>,
    pub(super) is_by_hand: bool,
    receiver: Receiver,
    begun: Instant,
    steps: Mutex<Vec<Step>>,
    tell: &'a (dyn Fn(&Step) + Sync),
}

impl<'a> Stage<'a> {
    /// Servers, one scheduler, two workers; all of them ready.
    pub(super) async fn build(drill: Drill, spec: &DrillSpec, tell: &'a (dyn Fn(&Step) + Sync)) -> Result<Self> {
        let receiver = Receiver::start().await?;
        let fleet = Fleet::start(FleetSpec::new(&spec.dir, &spec.binary)).await?;
        fleet.connect().await?.batch_execute(kinds::EFFECTS_TABLE).await?;
        let watch = MonitoringSpec { hasty: true, brief: spec.by_hand, webhook: Some(receiver.url().to_owned()) };
        let monitoring = Monitoring::start(fleet.services(), &watch)?;
        ensure!(
            !spec.by_hand || monitoring.is_some(),
            "by hand, a drill ends when no alert fires any more: install prometheus and prometheus-alertmanager"
        );
        let vendors = if drill.is_civic() { Some(vendors::start(drill, fleet.dir()).await?) } else { None };
        let with_env = |member: MemberSpec| {
            let own = vendors.iter().flat_map(|vendors| vendors.env.iter());
            let targets = monitoring.as_ref().map(|watch| watch.targets_dir().display().to_string());
            let member = own.fold(member, |member, (name, value)| member.env(name, value));
            targets.iter().fold(member, |member, dir| member.env("DOCKET_TARGETS_DIR", dir))
        };
        fleet.spawn(with_env(MemberSpec::new("scheduler", "scheduler"))).await?;
        let mut workers = Vec::new();
        for number in 1..=WORKERS {
            let name = format!("worker-{number}");
            let mut worker = if drill.is_civic() {
                MemberSpec::new(&name, &format!("worker --slots {SLOTS}"))
            } else {
                MemberSpec::new(&name, &format!("chaos-worker --slots {SLOTS}"))
            };
            if !drill.is_civic() {
                worker.args.extend(["--witness".to_owned(), fleet.dir().display().to_string()]);
            }
            workers.push(fleet.spawn(with_env(worker)).await?);
        }
        for member in fleet.members() {
            member.ready(READY).await?;
        }
        if let Some(monitoring) = &monitoring {
            monitoring.ready().await?;
        }
        let (begun, steps) = (Instant::now(), Mutex::default());
        let is_by_hand = spec.by_hand;
        let stage = Self { fleet, workers, vendors, monitoring, is_by_hand, receiver, begun, steps, tell };
        stage.watched().await?;
        Ok(stage)
    }

    /// The fleet has been scraped, and nothing fires but the watchdog, which has arrived.
    async fn watched(&self) -> Result<()> {
        let Some(monitoring) = &self.monitoring else {
            self.say("Prometheus or Alertmanager is not installed: nobody looks at alerts");
            return Ok(());
        };
        ensure!(
            timeout(ALERT, self.quiet(monitoring)).await.is_ok_and(|quiet| quiet.is_ok()),
            "alerts fire before anything was done: {:?}",
            monitoring.firing().await
        );
        // What fired while the fleet was coming up: holds are a second only.
        self.receiver.forget_all_but(WATCHDOG);
        ensure!(self.alert(WATCHDOG).await, "the watchdog does not arrive: alerts can't");
        self.say("the fleet is up, scraped, and nothing fires but the watchdog");
        Ok(())
    }

    /// Waits until nothing has fired but the watchdog for a while, no job open and no dead letter left; by hand, says what
    /// fires. Who gives no answer is not quiet.
    pub(super) async fn quiet(&self, monitoring: &Monitoring) -> Result<()> {
        let (mut told, mut since) = (Vec::new(), Instant::now());
        while since.elapsed() < QUIET {
            let firing = monitoring.firing().await.ok();
            if firing.as_ref().is_none_or(|names| *names != [WATCHDOG]) || self.number(LEFT).await? > 0 {
                since = Instant::now();
            }
            if let Some(firing) = firing.filter(|firing| self.is_by_hand && *firing != told) {
                self.say(format!("firing: {}", firing.join(", ")));
                told = firing;
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Writes a step down, and tells it.
    pub(super) fn say(&self, what: impl Into<String>) {
        let step = Step { at_seconds: self.begun.elapsed().as_secs_f64(), what: what.into() };
        (self.tell)(&step);
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    /// The database, past all proxies.
    pub(super) async fn database(&self) -> Result<Client> {
        Ok(self.fleet.connect().await?)
    }

    /// Enqueues `count` jobs of a kind, each of `ms`.
    pub(super) async fn put(&self, kind: &str, count: usize, ms: u64) -> Result<()> {
        let jobs: Vec<NewJob> = (0..count).map(|_| kinds::job(kind, Act { ms })).collect::<Result<_, _>>()?;
        let client = self.database().await?;
        for some in jobs.chunks(1000) {
            enqueue(&client, some, Notify::Yes).await?;
        }
        self.say(format!("enqueued {count} jobs {kind}"));
        Ok(())
    }

    /// One number.
    pub(super) async fn number(&self, sql: &str) -> Result<i64> {
        Ok(self.database().await?.query_one(sql, &[]).await?.get(0))
    }

    /// Waits until `sql` gives a number of at least `least`.
    pub(super) async fn at_least(&self, least: i64, sql: &str) -> Result<()> {
        let seen = async {
            while self.number(sql).await? < least {
                sleep(LOOK).await;
            }
            anyhow::Ok(())
        };
        timeout(SETTLE, seen).await.with_context(|| format!("not within {SETTLE:?}: {sql}"))?
    }

    /// Waits until every job has ended, starts members that have died meanwhile, and says how long it took since `from`.
    pub(super) async fn settled(&self, from: Instant) -> Result<Duration> {
        let settled = async {
            while self.open().await? > 0 {
                for member in self.fleet.members().iter().filter(|member| member.pid().is_none()) {
                    self.say(format!("{} is gone, starting it again", member.name()));
                    member.start()?;
                }
                sleep(LOOK).await;
            }
            anyhow::Ok(())
        };
        timeout(SETTLE, settled).await.context("jobs have not ended in time")??;
        let took = from.elapsed();
        self.say(format!("every job has ended, {:.1} s later", took.as_secs_f64()));
        Ok(took)
    }

    async fn open(&self) -> Result<i64> {
        self.number("select count(*) from jobs where status in ('pending', 'queued', 'processing')").await
    }

    /// Waits until these alerts arrive; those that don't are told by the report.
    pub(super) async fn alerts(&self, drill: Drill) {
        for name in drill.alerts() {
            if self.monitoring.is_some() && self.alert(name).await {
                self.say(format!("{name} has arrived at the webhook"));
            }
        }
    }

    async fn alert(&self, name: &str) -> bool {
        let arrives = async {
            while !self.receiver.arrivals().contains_key(name) {
                sleep(LOOK).await;
            }
        };
        timeout(ALERT, arrives).await.is_ok()
    }

    /// What came of it.
    pub(super) async fn report(&self, drill: Drill, recovery: Duration) -> Result<DrillReport> {
        let (unaccounted_jobs, open_jobs) = (self.audited().await?, self.open().await?);
        let mut seen: Vec<SeenAlert> = self
            .receiver
            .arrivals()
            .into_iter()
            .map(|(name, (at, description))| SeenAlert {
                name,
                at_seconds: at.saturating_duration_since(self.begun).as_secs_f64(),
                description,
            })
            .collect();
        seen.sort_by(|one, other| one.at_seconds.total_cmp(&other.at_seconds));
        let missing = drill.alerts().iter().filter(|name| !seen.iter().any(|alert| alert.name == **name));
        let missing_alerts = if self.monitoring.is_some() { missing.copied().collect() } else { Vec::new() };
        Ok(DrillReport {
            drill,
            steps: self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            recovery_seconds: recovery.as_secs_f64(),
            alerts: self.monitoring.is_some().then_some(seen),
            missing_alerts,
            open_jobs,
            unaccounted_jobs,
        })
    }

    /// The scheduler's verdict on a look that began after all jobs had ended.
    async fn audited(&self) -> Result<Option<u64>> {
        let (client, since) = (self.database().await?, Instant::now());
        let judged = async {
            loop {
                let verdict = audit::verdict(&client, since.elapsed()).await?;
                if let Some(verdict) = verdict.filter(|verdict| verdict.unaccounted() == 0) {
                    return anyhow::Ok(verdict.unaccounted());
                }
                sleep(LOOK).await;
            }
        };
        match timeout(AUDIT, judged).await {
            Ok(judged) => judged.map(Some),
            Err(_) => Ok(audit::verdict(&client, AUDIT).await?.map(|verdict| verdict.unaccounted())),
        }
    }

    /// Ends everything.
    pub(super) async fn stop(self) {
        if let Some(monitoring) = self.monitoring {
            monitoring.stop().await;
        }
        self.fleet.stop().await;
    }
}
