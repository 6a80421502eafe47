//! What models have cost, by the ledger; and how the budgets stand.

use crate::civic::llm::budget::{Budgets, Period, Scope};
use jiff::civil::Date;
use serde::Serialize;
use tokio_postgres::{Error, GenericClient};

/// By what costs are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// City.
    City,
    /// Model.
    Model,
    /// Item, meeting, chunk, or a batch of items.
    Kind,
    /// Day of UTC's calendar.
    Day,
}

impl By {
    const fn column(self) -> &'static str {
        match self {
            Self::City => "coalesce(city, '')",
            Self::Model => "model",
            Self::Kind => "prompt_type",
            Self::Day => "(at at time zone 'utc')::date::text",
        }
    }
}

/// Calls, and what they cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// City, model, kind or day; empty: the city is not known.
    pub name: String,
    /// Requests, the failed ones included.
    pub calls: i64,
    /// Of those, without an answer.
    pub failed: i64,
    /// Of those, with tokens that the server did not tell.
    pub estimated: i64,
    /// Tokens read.
    pub tokens_in: i64,
    /// Of those, from the server's cache.
    pub tokens_cached: i64,
    /// Tokens written, hidden reasoning included.
    pub tokens_out: i64,
    /// Of those, hidden reasoning.
    pub tokens_thought: i64,
    /// Money.
    pub cost_micro_usd: i64,
}

/// What calls since a day have cost, by what `by` says, the dearest first; days in their order. Without a model that costs
/// nothing to ask.
///
/// # Errors
/// When the database fails.
pub async fn by<C: GenericClient + Sync>(client: &C, by: By, since: Option<Date>) -> Result<Vec<Cost>, Error> {
    let (column, order) = (by.column(), if by == By::Day { "1" } else { "9 desc, 1" });
    let sql = format!(
        "select {column}, count(*), count(*) filter (where status <> 'ok'), count(*) filter (where estimated), \
         sum(tokens_in)::bigint, sum(tokens_cached)::bigint, sum(tokens_out)::bigint, \
         coalesce(sum(tokens_thought), 0)::bigint, sum(cost_micro_usd)::bigint \
         from llm_ledger where coalesce(provider, '') <> 'extractive' and at >= coalesce($1::date, '-infinity')::timestamp at time zone 'utc' \
         group by 1 order by {order}"
    );
    let rows = client.query(&sql, &[&since]).await?;
    let cost = |row: &tokio_postgres::Row| Cost {
        name: row.get(0),
        calls: row.get(1),
        failed: row.get(2),
        estimated: row.get(3),
        tokens_in: row.get(4),
        tokens_cached: row.get(5),
        tokens_out: row.get(6),
        tokens_thought: row.get(7),
        cost_micro_usd: row.get(8),
    };
    Ok(rows.iter().map(cost).collect())
}

/// How a budget stands in its present period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetStanding {
    /// `total`, `city:NAME` or `model:NAME`.
    pub account: String,
    /// `day` or `month`.
    pub period: &'static str,
    /// What may be spent.
    pub limit_micro_usd: u64,
    /// What calls have cost.
    pub spent_micro_usd: u64,
    /// What calls that are under way may cost.
    pub reserved_micro_usd: u64,
}

impl BudgetStanding {
    /// The share that is spent; 1 when nothing may be spent at all.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for a gauge: exact money is in the row")]
    pub fn ratio(&self) -> f64 {
        if self.limit_micro_usd == 0 { 1.0 } else { self.spent_micro_usd as f64 / self.limit_micro_usd as f64 }
    }
}

const SPENT: &str = "\
select s.scope, s.spent_micro_usd, (
  select coalesce(sum(v.micro_usd), 0)::bigint from llm_reservations v
  where v.expires_at > now() and s.scope in ('total', 'city:' || v.city, 'model:' || v.model))
from llm_spend s where s.period = $1 and s.starts_on = date_trunc($1, now() at time zone 'utc')::date order by 1";

/// Every budget, with those accounts that have spent something; a named one, and the total, also when they have not.
///
/// # Errors
/// When the database fails.
pub async fn standings<C: GenericClient + Sync>(client: &C, budgets: &Budgets) -> Result<Vec<BudgetStanding>, Error> {
    let mut all = Vec::new();
    for period in Period::ALL {
        let rows = client.query(SPENT, &[&period.as_str()]).await?;
        for budget in budgets.list().iter().filter(|budget| budget.period == period) {
            let prefix = match budget.scope {
                Scope::Total => "total",
                Scope::City => "city:",
                Scope::Model => "model:",
            };
            let own = budget.name.as_ref().map(|name| format!("{prefix}{name}"));
            let own = own.or_else(|| (budget.scope == Scope::Total).then(|| prefix.to_owned()));
            let is_meant =
                |account: &str| own.as_deref().map_or_else(|| account.starts_with(prefix), |own| own == account);
            let micro = |value: i64| u64::try_from(value).unwrap_or_default();
            let standing = |account: &str, spent: i64, reserved: i64| BudgetStanding {
                account: account.to_owned(),
                period: period.as_str(),
                limit_micro_usd: budget.limit_micro_usd,
                spent_micro_usd: micro(spent),
                reserved_micro_usd: micro(reserved),
            };
            let before = all.len();
            let meant = rows.iter().filter(|row| is_meant(row.get(0)));
            all.extend(meant.map(|row| standing(row.get(0), row.get(1), row.get(2))));
            if let Some(own) = own.filter(|_| all.len() == before) {
                all.push(standing(&own, 0, 0));
            }
        }
    }
    Ok(all)
}
