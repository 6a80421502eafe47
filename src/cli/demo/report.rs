//! What a demonstration made, read from the tables.

use super::{
    money::{LIMIT_MICRO_USD, POOR_CITY},
    places::{self, CityRow, Ended},
};
use crate::{
    cli::exit::{Failure, Outcome},
    dev::city::Five,
};
use serde::Serialize;
use std::time::Duration;
use tokio_postgres::Client;

/// Jobs by state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Jobs {
    pub(super) pending: u64,
    pub(super) queued: u64,
    pub(super) processing: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) dead_letter: u64,
    pub(super) cancelled: u64,
}

impl Jobs {
    pub(super) const fn open(&self) -> u64 {
        self.pending + self.queued + self.processing
    }

    pub(super) const fn total(&self) -> u64 {
        self.open() + self.completed + self.failed + self.dead_letter + self.cancelled
    }
}

/// The object that `--json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    pub(super) meetings: u64,
    pub(super) items: u64,
    pub(super) documents: u64,
    pub(super) summaries: u64,
    pub(super) jobs: Jobs,
    /// Failed attempts that were tried again; rescues don't count.
    pub(super) retries: u64,
    /// Jobs that wait for tomorrow's budget.
    pub(super) held_by_budget: u64,
    /// Jobs that wait for other jobs; when the work is done, for those.
    pub(super) held_by_children: u64,
    /// Requests that the cities' sites have seen.
    pub(super) site_requests: u64,
    /// Calls that the model has answered.
    pub(super) model_calls: u64,
    pub(super) seconds: f64,
    /// What stands of each city. Empty until the work is done.
    pub(super) cities: Vec<CityRow>,
    /// Why jobs ended without a result. Empty until the work is done.
    pub(super) causes: Vec<Ended>,
}

const COUNTS: &str = "\
select (select count(*) from meetings), (select count(*) from agenda_items), (select count(*) from documents),
       (select count(*) from summaries), (select count(*) from job_attempts where outcome = 'retry')";
const JOBS: &str = "\
select count(*) filter (where status = 'pending'), count(*) filter (where status = 'queued'),
       count(*) filter (where status = 'processing'), count(*) filter (where status = 'completed'),
       count(*) filter (where status = 'failed'), count(*) filter (where status = 'dead_letter'),
       count(*) filter (where status = 'cancelled'), count(*) filter (where hold::text = 'budget' and status = 'pending'),
       count(*) filter (where hold::text = 'children' and status = 'pending') from jobs";

impl Report {
    pub(super) async fn read(client: &Client, elapsed: Duration) -> Result<Self, Failure> {
        // The jobs first: when none is open, nothing changes any more. The other way round the last job could end between
        // the two, and what it made would be missing.
        let (jobs, counts) = (client.query_one(JOBS, &[]).await?, client.query_one(COUNTS, &[]).await?);
        let count = |row: &tokio_postgres::Row, index| u64::try_from(row.get::<_, i64>(index)).unwrap_or_default();
        Ok(Self {
            meetings: count(&counts, 0),
            items: count(&counts, 1),
            documents: count(&counts, 2),
            summaries: count(&counts, 3),
            jobs: Jobs {
                pending: count(&jobs, 0),
                queued: count(&jobs, 1),
                processing: count(&jobs, 2),
                completed: count(&jobs, 3),
                failed: count(&jobs, 4),
                dead_letter: count(&jobs, 5),
                cancelled: count(&jobs, 6),
            },
            retries: count(&counts, 4),
            held_by_budget: count(&jobs, 7),
            held_by_children: count(&jobs, 8),
            site_requests: 0,
            model_calls: 0,
            seconds: (elapsed.as_secs_f64() * 10.0).round() / 10.0,
            cities: Vec::new(),
            causes: Vec::new(),
        })
    }

    /// The same, with what is read once.
    pub(super) async fn finished(self, client: &Client, requests: u64, calls: u64) -> Result<Self, Failure> {
        let (cities, causes) = (places::cities(client).await?, places::ended(client).await?);
        Ok(Self { site_requests: requests, model_calls: calls, cities, causes, ..self })
    }

    /// Jobs that can go on today.
    pub(super) const fn left(&self) -> u64 {
        self.jobs.open().saturating_sub(self.held_by_budget + self.held_by_children)
    }

    fn poor(&self) -> Option<&CityRow> {
        self.cities.iter().find(|city| city.city == POOR_CITY)
    }

    /// What came out beside what was planned. How many of the poor city's summaries were paid for depends on which came first.
    fn pairs(&self, cities: &Five) -> [(&'static str, u64, u64); 8] {
        let planned = cities.expected();
        let poor = cities.all().iter().find(|city| city.city().slug.as_str() == POOR_CITY);
        let planned_poor = poor.map_or(0, |city| city.expected().summaries);
        let summaries = self.summaries - self.poor().map_or(0, |city| city.summaries.unsigned_abs());
        [
            ("meetings", self.meetings, planned.meetings as u64),
            ("agenda items", self.items, planned.items as u64),
            ("documents", self.documents, planned.documents as u64),
            ("summaries within budgets", summaries, (planned.summaries - planned_poor) as u64),
            ("failed jobs", self.jobs.failed, planned.failed as u64),
            ("dead letters", self.jobs.dead_letter, planned.dead_letter as u64),
            ("cancelled jobs", self.jobs.cancelled, 0),
            ("jobs that could go on", self.left(), 0),
        ]
    }

    /// What is bounded only: what it is, what came out, the bounds.
    fn bounds(&self, cities: &Five) -> [(&'static str, u64, std::ops::RangeInclusive<u64>); 4] {
        let (spent, summaries) =
            self.poor().map_or((0, 0), |city| (city.spent_micro_usd.unsigned_abs(), city.summaries.unsigned_abs()));
        [
            ("failed attempts tried again", self.retries, cities.expected().min_retries as u64..=u64::MAX),
            ("jobs that wait for tomorrow's budget", self.held_by_budget, 1..=u64::MAX),
            ("summaries of the city that spent its budget", summaries, 1..=u64::MAX),
            ("what it spent, in micro-dollars", spent, 1..=LIMIT_MICRO_USD),
        ]
    }

    /// For the table.
    pub(super) fn rows(&self, cities: &Five) -> Vec<[String; 3]> {
        let row = |what: &str, out: String, planned: String| [what.to_owned(), out, planned];
        let exact = self.pairs(cities);
        let mut rows: Vec<_> =
            exact.iter().map(|(what, out, plan)| row(what, out.to_string(), plan.to_string())).collect();
        for (what, out, bounds) in self.bounds(cities) {
            let planned = match (*bounds.start(), *bounds.end()) {
                (least, u64::MAX) => format!("at least {least}"),
                (_, most) => format!("at most {most}"),
            };
            rows.push(row(what, out.to_string(), planned));
        }
        let figures = [("completed jobs", self.jobs.completed), ("calls of the model", self.model_calls)];
        rows.extend(figures.map(|(what, out)| row(what, out.to_string(), String::new())));
        rows.push(row("seconds", self.seconds.to_string(), String::new()));
        rows
    }

    /// What was planned must have come out, and nothing else.
    pub(super) fn compare(&self, cities: &Five) -> Outcome {
        let exact = self.pairs(cities);
        let exact = exact.iter().filter(|(_, out, plan)| out != plan);
        let mut wrong: Vec<String> =
            exact.map(|(what, out, plan)| format!("{what}: {out} instead of {plan}")).collect();
        let outside = self.bounds(cities).into_iter().filter(|(_, out, bounds)| !bounds.contains(out));
        wrong.extend(
            outside.map(|(what, out, bounds)| format!("{what}: {out}, planned {} to {}", bounds.start(), bounds.end())),
        );
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Failure::internal(format!("not what was planned: {}", wrong.join("; "))))
    }
}
