//! Who asks, and how much of it.

use super::{Problem, Role};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

/// How much one token may ask for. 0: any amount.
///
/// Single requests and the jobs of bulk requests are counted apart: a job in bulk costs the database a fraction of what
/// a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Requests to the API a second.
    pub requests: u32,
    /// Requests at once, after a pause.
    pub requests_burst: u32,
    /// Jobs a second by bulk requests.
    pub bulk_jobs: u32,
    /// Jobs at once by bulk requests, after a pause.
    pub bulk_jobs_burst: u32,
}

impl Default for Rates {
    /// More than one client should need, less than what keeps others out.
    fn default() -> Self {
        Self { requests: 10_000, requests_burst: 20_000, bulk_jobs: 100_000, bulk_jobs_burst: 200_000 }
    }
}

/// The holder of a token, or a program of this machine where there are no tokens.
#[derive(Clone)]
pub struct Caller {
    name: Arc<str>,
    role: Role,
    limits: Arc<Limits>,
}

struct Limits {
    requests: Option<DefaultDirectRateLimiter>,
    bulk_jobs: Option<DefaultDirectRateLimiter>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

impl Caller {
    pub(super) fn new(name: &str, role: Role, rates: Rates) -> Self {
        let limits = Limits {
            requests: limiter(rates.requests, rates.requests_burst),
            bulk_jobs: limiter(rates.bulk_jobs, rates.bulk_jobs_burst),
        };
        Self { name: name.into(), role, limits: Arc::new(limits) }
    }

    /// As events name him.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("api:{}", self.name)
    }

    /// Refuses who has a smaller role. `what` needs it.
    pub(super) fn needs(&self, role: Role, what: &str) -> Result<(), Problem> {
        if self.role >= role { Ok(()) } else { Err(Problem::forbidden(&self.name, self.role, role, what)) }
    }

    /// One more request.
    pub(super) fn request(&self) -> Result<(), Problem> {
        take(self.limits.requests.as_ref(), 1, "requests")
    }

    /// So many more jobs of a bulk request.
    pub(super) fn bulk_jobs(&self, jobs: usize) -> Result<(), Problem> {
        take(self.limits.bulk_jobs.as_ref(), u32::try_from(jobs).unwrap_or(u32::MAX), "jobs by bulk requests")
    }
}

fn limiter(rate: u32, burst: u32) -> Option<DefaultDirectRateLimiter> {
    let quota = Quota::per_second(NonZeroU32::new(rate)?);
    Some(RateLimiter::direct(NonZeroU32::new(burst).map_or(quota, |burst| quota.allow_burst(burst))))
}

fn take(limiter: Option<&DefaultDirectRateLimiter>, cells: u32, what: &'static str) -> Result<(), Problem> {
    let (Some(limiter), Some(cells)) = (limiter, NonZeroU32::new(cells)) else { return Ok(()) };
    match limiter.check_n(cells) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(later)) => Err(Problem::rate_limited(what, later.wait_time_from(DefaultClock::default().now()))),
        // More than ever fits at once.
        Err(_) => Err(Problem::rate_limited(what, Duration::from_secs(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(requests: u32, bulk_jobs: u32) -> Caller {
        let rates = Rates { requests, requests_burst: 2, bulk_jobs, bulk_jobs_burst: 10 };
        Caller::new("ci", Role::Operator, rates)
    }

    #[test]
    fn roles_include_those_below() {
        let caller = caller(0, 0);
        assert!(caller.needs(Role::Viewer, "").is_ok() && caller.needs(Role::Operator, "").is_ok());
        assert!(caller.needs(Role::Admin, "").is_err());
        assert_eq!(caller.actor(), "api:ci");
    }

    #[test]
    fn requests_and_bulk_jobs_are_counted_apart() {
        let caller = caller(1, 1);
        assert!(caller.request().is_ok() && caller.request().is_ok() && caller.request().is_err());
        assert!(caller.bulk_jobs(10).is_ok() && caller.bulk_jobs(1).is_err());
        assert!(caller.bulk_jobs(0).is_ok() && caller.bulk_jobs(usize::MAX).is_err());
    }

    #[test]
    fn zero_is_no_limit() {
        let caller = caller(0, 0);
        assert!((0..1000).all(|_| caller.request().is_ok() && caller.bulk_jobs(1_000_000).is_ok()));
    }
}
