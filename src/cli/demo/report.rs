//! What a demonstration made, read from the tables.

use super::places::{self, CityRow, Ended};
use crate::{
    cli::exit::{Failure, Outcome},
    dev::city::Expected,
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
    /// Requests that the cities' sites have seen.
    pub(super) site_requests: u64,
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
       count(*) filter (where status = 'cancelled') from jobs";

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
            site_requests: 0,
            seconds: (elapsed.as_secs_f64() * 10.0).round() / 10.0,
            cities: Vec::new(),
            causes: Vec::new(),
        })
    }

    /// The same, with what is read once.
    pub(super) async fn finished(self, client: &Client, site_requests: u64) -> Result<Self, Failure> {
        Ok(Self { site_requests, cities: places::cities(client).await?, causes: places::ended(client).await?, ..self })
    }

    fn pairs(&self, expected: &Expected) -> [(&'static str, u64, u64); 8] {
        [
            ("meetings", self.meetings, expected.meetings as u64),
            ("agenda items", self.items, expected.items as u64),
            ("documents", self.documents, expected.documents as u64),
            ("summaries", self.summaries, expected.summaries as u64),
            ("failed jobs", self.jobs.failed, expected.failed as u64),
            ("dead letters", self.jobs.dead_letter, expected.dead_letter as u64),
            ("cancelled jobs", self.jobs.cancelled, 0),
            ("open jobs", self.jobs.open(), 0),
        ]
    }

    /// For the table.
    pub(super) fn rows(&self, expected: &Expected) -> Vec<[String; 3]> {
        let row = |what: &str, out: String, planned: String| [what.to_owned(), out, planned];
        let mut rows: Vec<_> =
            self.pairs(expected).iter().map(|(what, out, plan)| row(what, out.to_string(), plan.to_string())).collect();
        rows.push(row("completed jobs", self.jobs.completed.to_string(), String::new()));
        rows.push(row(
            "failed attempts tried again",
            self.retries.to_string(),
            format!("at least {}", expected.min_retries),
        ));
        rows.push(row("seconds", self.seconds.to_string(), String::new()));
        rows
    }

    /// What was planned must have come out, and nothing else.
    pub(super) fn compare(&self, expected: &Expected) -> Outcome {
        let wrong: Vec<String> = self
            .pairs(expected)
            .iter()
            .filter(|(_, out, plan)| out != plan)
            .map(|(what, out, plan)| format!("{what}: {out} instead of {plan}"))
            .collect();
        if !wrong.is_empty() {
            return Err(Failure::internal(format!("not what was planned: {}", wrong.join("; "))));
        }
        if self.retries < expected.min_retries as u64 {
            return Err(Failure::internal(format!(
                "{} retries, at least {} were planned",
                self.retries, expected.min_retries
            )));
        }
        Ok(())
    }
}
