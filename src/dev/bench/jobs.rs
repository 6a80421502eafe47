//! The jobs of a bench, and what they tell when they start.

use super::spec::BenchError;
use crate::fleet::{
    enqueue::{Enqueued, Notify, enqueue},
    handler::{Context, Handler, HandlerError},
    job::{JobId, NewJob},
};
use rand::{Rng, SeedableRng, distr::Alphanumeric, rngs::StdRng};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;
use tokio_postgres::GenericClient;

/// Arguments of some 200 bytes: what a job of the domain has.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BenchArgs {
    /// How long it sleeps.
    ms: u64,
    text: String,
}

/// Bytes of `text`: with the rest of the arguments about 200.
const TEXT: usize = 180;

/// When each job started for the first time. Bounded by the jobs of a scenario.
#[derive(Debug, Default)]
pub(super) struct Starts(Mutex<HashMap<JobId, Instant>>);

impl Starts {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Instant>> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }

    fn started(&self, job: JobId) {
        let now = Instant::now();
        self.lock().entry(job).or_insert(now);
    }

    /// How many have started.
    pub(super) fn count(&self) -> u64 {
        self.lock().len() as u64
    }

    /// Forgets all so far.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// From each commit to its job's start. A handler can be ahead of the commit's answer: that counts as no time.
    pub(super) fn since(&self, commits: &[(JobId, Instant)]) -> Vec<Duration> {
        let starts = self.lock();
        commits.iter().filter_map(|(job, commit)| Some(starts.get(job)?.saturating_duration_since(*commit))).collect()
    }
}

/// Ends at once.
pub(super) struct Noop(pub(super) Arc<Starts>);

impl Handler for Noop {
    type Args = BenchArgs;
    type Output = ();
    const KIND: &'static str = "bench.noop";

    async fn run(&self, _args: BenchArgs, ctx: Context) -> Result<(), HandlerError> {
        self.0.started(ctx.job);
        Ok(())
    }
}

/// Sleeps, as a job does that waits for a city's site.
pub(super) struct Sleep(pub(super) Arc<Starts>);

impl Handler for Sleep {
    type Args = BenchArgs;
    type Output = ();
    const KIND: &'static str = "bench.sleep";

    async fn run(&self, args: BenchArgs, ctx: Context) -> Result<(), HandlerError> {
        self.0.started(ctx.job);
        tokio::time::sleep(Duration::from_millis(args.ms)).await;
        Ok(())
    }
}

/// So many jobs, the same for the same seed.
pub(super) fn jobs(count: usize, work: Duration, seed: u64) -> Result<Vec<NewJob>, BenchError> {
    let mut random = StdRng::seed_from_u64(seed);
    let ms = u64::try_from(work.as_millis()).unwrap_or(u64::MAX);
    (0..count)
        .map(|_| {
            let text = (&mut random).sample_iter(Alphanumeric).take(TEXT).map(char::from).collect();
            let args = BenchArgs { ms, text };
            Ok(if ms == 0 { Noop::job(&args) } else { Sleep::job(&args) }?)
        })
        .collect()
}

/// Enqueues them inside the caller's transaction.
pub(super) async fn put<C: GenericClient + Sync>(
    client: &C,
    jobs: &[NewJob],
    notify: Notify,
) -> Result<Vec<JobId>, BenchError> {
    let enqueued = enqueue(client, jobs, notify).await?;
    Ok(enqueued.into_iter().map(Enqueued::id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_bytes_and_the_same_for_a_seed() {
        let made = jobs(10, Duration::ZERO, 3).unwrap();
        assert!(made.iter().all(|job| job.kind == Noop::KIND && (190..=210).contains(&job.args.to_string().len())));
        assert_eq!(made, jobs(10, Duration::ZERO, 3).unwrap());
        assert_ne!(made, jobs(10, Duration::ZERO, 4).unwrap());
        assert_eq!(jobs(1, Duration::from_millis(5), 3).unwrap()[0].kind, Sleep::KIND);
        assert!(jobs(0, Duration::ZERO, 3).unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_start_counts_and_a_start_before_the_commit_is_no_time() {
        let (starts, early) = (Starts::default(), Instant::now());
        tokio::time::advance(Duration::from_millis(10)).await;
        starts.started(JobId(1));
        tokio::time::advance(Duration::from_millis(10)).await;
        starts.started(JobId(1));
        let commits = [(JobId(1), early), (JobId(1), Instant::now()), (JobId(2), early)];
        assert_eq!(starts.since(&commits), [Duration::from_millis(10), Duration::ZERO]);
        assert_eq!(starts.count(), 1);
        starts.clear();
        assert_eq!(starts.count(), 0);
    }
}
