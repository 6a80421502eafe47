//! How much of the budgets for language models is spent, as each scheduler exports it.

use crate::{
    civic::{
        llm::budget::{Budgets, Period},
        store::llm_costs::{self, BudgetStanding},
    },
    db::Pool,
    telemetry::names::LLM_BUDGET,
};
use metrics::gauge;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Exports, for each period, the share of the budget that is spent most, until `shutdown`. Without budgets it is 0.
pub async fn publish_budgets(pool: Pool, budgets: Budgets, interval: Duration, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Some(Some(standings)) = shutdown.run_until_cancelled(standings(&pool, &budgets)).await {
            for period in Period::ALL.map(Period::as_str) {
                let of_period = standings.iter().filter(|standing| standing.period == period);
                gauge!(LLM_BUDGET, "budget" => period).set(of_period.map(BudgetStanding::ratio).fold(0.0, f64::max));
            }
        }
        shutdown.run_until_cancelled(tokio::time::sleep(interval)).await;
    }
}

/// None: the database is away, and the last shares stay.
async fn standings(pool: &Pool, budgets: &Budgets) -> Option<Vec<BudgetStanding>> {
    if budgets.list().is_empty() {
        return Some(Vec::new());
    }
    let client = pool.get().await.ok()?;
    llm_costs::standings(&**client, budgets).await.ok()
}
