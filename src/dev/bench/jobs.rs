//! Makes the jobs of a bench, a few at a time: a million of them at once would be most of this process's memory.

use super::{
    kinds::{BenchArgs, Flaky, Insert, Noop, Sleep},
    spec::{BenchError, BenchSpec},
};
use crate::{
    db::Statements,
    fleet::{
        enqueue::{Enqueued, Notify, enqueue},
        handler::Handler,
        job::{JobId, NewJob},
    },
};
use rand::{Rng, SeedableRng, distr::Alphanumeric, rngs::StdRng};
use std::time::Duration;

/// Bytes of `text`: with the rest of the arguments about 200.
pub(super) const TEXT: usize = 165;
/// Jobs that are made at a time.
const CHUNK: usize = 5_000;
/// Share of the jobs of [`Work::Flaky`] that fail at first.
const FAILING: f64 = 0.3;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Sleeps for so long, or ends at once.
    Sleep(Duration),
    /// The same, and three in ten fail at their first attempt.
    Flaky(Duration),
    /// The same as `Sleep`, and writes a row with its completion.
    Insert(Duration),
}

/// Makes jobs: the same for the same seed.
#[derive(Debug)]
pub(super) struct Maker {
    random: StdRng,
    lanes: Vec<String>,
    work: Work,
    made: usize,
    /// Jobs so far whose first attempt will fail.
    pub(super) failing: u64,
}

impl Maker {
    pub(super) fn new(spec: &BenchSpec, work: Work, seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), lanes: spec.lanes(), work, made: 0, failing: 0 }
    }

    /// The next ones, spread over the lanes.
    pub(super) fn make(&mut self, count: usize) -> Result<Vec<NewJob>, BenchError> {
        (0..count).map(|_| self.one()).collect()
    }

    fn one(&mut self) -> Result<NewJob, BenchError> {
        let (Work::Sleep(time) | Work::Flaky(time) | Work::Insert(time)) = self.work;
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let text = (&mut self.random).sample_iter(Alphanumeric).take(TEXT).map(char::from).collect();
        let fails = matches!(self.work, Work::Flaky(_)) && self.random.random_bool(FAILING);
        let args = BenchArgs { ms, fails, text };
        let job = match self.work {
            Work::Sleep(Duration::ZERO) => Noop::job(&args),
            Work::Sleep(_) => Sleep::job(&args),
            Work::Flaky(_) => Flaky::job(&args),
            Work::Insert(_) => Insert::job(&args),
        };
        let lane = self.lanes[self.made % self.lanes.len()].clone();
        self.made += 1;
        self.failing += u64::from(fails);
        Ok(job?.lane(lane))
    }

    /// Makes so many and enqueues them inside the caller's transaction. The first one's id.
    pub(super) async fn put<C: Statements>(&mut self, client: &C, count: u32) -> Result<Option<JobId>, BenchError> {
        let (mut first, mut left) = (None, count as usize);
        while left > 0 {
            let jobs = self.make(left.min(CHUNK))?;
            left -= jobs.len();
            let ids = put(client, &jobs).await?;
            first = first.or_else(|| ids.first().copied());
        }
        Ok(first)
    }
}

/// Enqueues them inside the caller's transaction, and tells the schedulers.
pub(super) async fn put<C: Statements>(client: &C, jobs: &[NewJob]) -> Result<Vec<JobId>, BenchError> {
    let enqueued = enqueue(client, jobs, Notify::Yes).await?;
    Ok(enqueued.into_iter().map(Enqueued::id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker(work: Work, seed: u64) -> Maker {
        let spec = BenchSpec {
            jobs: None,
            workers: 1,
            slots: 1,
            lanes: 2,
            work: None,
            time: Duration::ZERO,
            seed,
            baseline: false,
            files: None,
        };
        Maker::new(&spec, work, seed)
    }

    #[test]
    fn two_hundred_bytes_and_the_same_for_a_seed() {
        let noop = Work::Sleep(Duration::ZERO);
        let made = maker(noop, 3).make(10).unwrap();
        assert!(made.iter().all(|job| job.kind == Noop::KIND && (190..=210).contains(&job.args.to_string().len())));
        assert_eq!(made, maker(noop, 3).make(10).unwrap());
        assert_ne!(made, maker(noop, 4).make(10).unwrap());
        assert_eq!(maker(Work::Sleep(Duration::from_millis(5)), 3).make(1).unwrap()[0].kind, Sleep::KIND);
        let lanes: Vec<&str> = made.iter().map(|job| job.lane.as_str()).collect();
        assert_eq!(lanes[..3], ["default", "bench-2", "default"]);
    }

    #[test]
    fn three_in_ten_fail_at_first() {
        let mut maker = maker(Work::Flaky(Duration::ZERO), 1);
        let made = maker.make(10_000).unwrap();
        let failing = made.iter().filter(|job| job.args["fails"] == true).count();
        assert_eq!(failing as u64, maker.failing);
        // 3,000 expected, with a standard deviation of 46.
        assert!((2_700..3_300).contains(&failing), "{failing}");
    }
}
