//! Scenario `retry`.

use super::{
    Scenario,
    drain::{Drained, drain},
    ground::Ground,
    jobs::Work,
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
};

/// Three in ten jobs fail at their first attempt; until all are completed. Refuses its own result when the ledger tells
/// of other attempts than these.
pub(super) async fn retry(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let (jobs, work) = (spec.jobs(Scenario::Retry), Work::Flaky(spec.work(Scenario::Retry)));
    let Drained { mut report, first, failing } = drain(place, ground, (spec, step), (jobs, work)).await?;
    if place.retention.completed.is_zero() {
        // Nothing is left that could be asked; a job that failed once was run twice.
        return check([u64::from(jobs), report.attempts.unwrap_or(0)], (jobs, failing)).map(|()| report);
    }
    let sql = "select count(*) filter (where status = 'completed'), \
                      (select count(*) from job_history h where h.job_id >= $1) from jobs where id >= $1";
    let row = ground.client.query_one(sql, &[&first.0]).await?;
    let told = [0, 1].map(|column| row.get::<_, i64>(column).unsigned_abs());
    check(told, (jobs, failing))?;
    report.attempts = Some(told[1]);
    Ok(report)
}

fn check(told: [u64; 2], (jobs, failing): (u32, u64)) -> Result<(), BenchError> {
    let expected = [u64::from(jobs), u64::from(jobs) + failing];
    if told == expected {
        return Ok(());
    }
    Err(BenchError::Fleet(format!("there are {told:?} completed jobs and attempts, and should be {expected:?}")))
}
