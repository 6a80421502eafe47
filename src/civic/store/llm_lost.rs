//! Calls that nobody has settled: their workers died, and what they have cost is not known.

use super::llm_money::{LOCK, spend};
use crate::civic::llm::{Lost, MicroUsd};
use tokio_postgres::{Client, Error};

/// Who is at this moment settling or beginning a call keeps its row. Of a call about several items each has a row, and one
/// of them the price.
const COLLECT: &str = "\
with expired as (
  select input_hash, prompt_version, model from llm_reservations where expires_at <= now() for update skip locked),
gone as (
  delete from llm_reservations r using expired e
  where (r.input_hash, r.prompt_version, r.model) = (e.input_hash, e.prompt_version, e.model) returning r.*),
calls as (select distinct on (holder) * from gone where asked_at is not null order by holder, micro_usd desc)
insert into llm_ledger (job_id, city, provider, model, prompt_type, prompt_version, status, tokens_in, tokens_cached, tokens_out,
                        tokens_thought, estimated, cost_micro_usd, duration_ms)
select job_id, city, provider, model, prompt_type, prompt_version, 'lost', 0, 0, 0, 0, true, micro_usd, 0 from calls
returning job_id, city, model, prompt_type, cost_micro_usd";

/// Books the calls that were made and never settled at the most that they can have cost, and frees what was reserved for
/// calls that were not made. Each is booked once, however many ask.
///
/// # Errors
/// When the database fails.
pub async fn collect(client: &mut Client) -> Result<Vec<Lost>, Error> {
    let tx = client.transaction().await?;
    tx.execute(LOCK, &[]).await?;
    let mut lost = Vec::new();
    for row in tx.query(COLLECT, &[]).await? {
        let (city, model, cost): (String, String, i64) = (row.get(1), row.get(2), row.get(4));
        spend(&tx, cost, &city, &model).await?;
        let cost = MicroUsd::try_from(cost).unwrap_or_default();
        lost.push(Lost { job: row.get(0), city, model, prompt: row.get(3), cost });
    }
    tx.commit().await?;
    Ok(lost)
}
