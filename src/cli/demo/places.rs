//! City by city, and the causes of what failed.

use crate::cli::exit::Failure;
use serde::Serialize;
use tokio_postgres::Client;

/// What stands of a city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct CityRow {
    pub(super) city: String,
    pub(super) vendor: String,
    pub(super) meetings: i64,
    pub(super) cancelled: i64,
    pub(super) items: i64,
    pub(super) summaries: i64,
    /// How its last listing ended.
    pub(super) last_listing: String,
    /// What its summaries cost.
    pub(super) spent_micro_usd: i64,
}

impl CityRow {
    pub(super) fn cells(&self) -> [String; 8] {
        let Self { city, vendor, meetings, cancelled, items, summaries, last_listing, spent_micro_usd } = self.clone();
        [
            city,
            vendor,
            meetings.to_string(),
            cancelled.to_string(),
            items.to_string(),
            summaries.to_string(),
            last_listing,
            spent_micro_usd.to_string(),
        ]
    }
}

/// A job that ended without a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Ended {
    pub(super) job: i64,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) attempts: i16,
    /// Its last error.
    pub(super) cause: String,
}

impl Ended {
    pub(super) fn cells(&self) -> [String; 5] {
        let Self { job, kind, status, attempts, cause } = self.clone();
        [job.to_string(), kind, status, attempts.to_string(), cause]
    }
}

const CITIES: &str = "\
select c.slug, c.vendor, count(*), count(*) filter (where m.status = 'cancelled'),
  (select count(*) from agenda_items i join meetings n on n.id = i.meeting_id where n.city_id = c.id),
  (select count(*) from summaries s join meetings n on s.subject_kind = 'meeting' and n.id = s.subject_id where n.city_id = c.id)
  + (select count(*) from summaries s join agenda_items i on s.subject_kind = 'item' and i.id = s.subject_id
     join meetings n on n.id = i.meeting_id where n.city_id = c.id),
  (select s.outcome from city_syncs s where s.city_id = c.id order by s.id desc limit 1),
  (select coalesce(sum(l.cost_micro_usd), 0)::bigint from llm_ledger l where l.city = c.slug)
from cities c join meetings m on m.city_id = c.id group by c.id order by c.slug";

const ENDED: &str = "\
select id, kind, status::text, failures, coalesce(last_error, '') from jobs
where failed_at is not null and status in ('failed', 'dead_letter') order by id limit 100";

pub(super) async fn cities(client: &Client) -> Result<Vec<CityRow>, Failure> {
    let rows = client.query(CITIES, &[]).await?;
    let read = |row: &tokio_postgres::Row| CityRow {
        city: row.get(0),
        vendor: row.get(1),
        meetings: row.get(2),
        cancelled: row.get(3),
        items: row.get(4),
        summaries: row.get(5),
        last_listing: row.get::<_, Option<String>>(6).unwrap_or_default(),
        spent_micro_usd: row.get(7),
    };
    Ok(rows.iter().map(read).collect())
}

pub(super) async fn ended(client: &Client) -> Result<Vec<Ended>, Failure> {
    let rows = client.query(ENDED, &[]).await?;
    let read = |row: &tokio_postgres::Row| Ended {
        job: row.get(0),
        kind: row.get(1),
        status: row.get(2),
        attempts: row.get(3),
        cause: row.get(4),
    };
    Ok(rows.iter().map(read).collect())
}
