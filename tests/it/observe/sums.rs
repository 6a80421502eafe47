//! Every process counts: what the workers' pages add up to is what the ledger says.

use super::fleet::Demo;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

/// A worker counts a moment after it has committed.
const PATIENCE: Duration = Duration::from_secs(30);

type Sums = BTreeMap<String, f64>;

/// What all workers' pages say, summed by family and the labels that are of interest.
async fn counted(demo: &Demo) -> Sums {
    let mut sums = Sums::new();
    for (role, address) in demo.targets().await {
        if role != "worker" {
            continue;
        }
        for line in demo.get(&format!("http://{address}/metrics")).await.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let value: f64 = value.parse().unwrap();
            let (family, labels) = series.split_once('{').unwrap_or((series, ""));
            let label = |name: &str| {
                let quoted = labels.split_once(&format!("{name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap());
                quoted.unwrap_or_default().to_owned()
            };
            let key = match family {
                // What was put off is a hold by now, or forgotten.
                "docket_queue_jobs_processed_total" if matches!(&*label("status"), "snoozed" | "released") => continue,
                "docket_queue_jobs_processed_total" => format!("jobs {} {}", label("job_type"), label("status")),
                "docket_llm_tokens_total" => format!("tokens {}", label("token_type")),
                "docket_llm_request_cost_usd_sum" => "micro-dollars".to_owned(),
                "docket_llm_requests_total" => format!("calls {}", label("status")),
                "docket_meetings_synced_total" => "meetings".to_owned(),
                "docket_items_extracted_total" => "items".to_owned(),
                "docket_vendor_requests_total" => "vendor requests".to_owned(),
                "docket_vendor_request_duration_seconds_count" => "vendor durations".to_owned(),
                _ => continue,
            };
            let value = if key == "micro-dollars" { (value * 1e6).round() } else { value };
            *sums.entry(key).or_default() += value;
        }
    }
    sums.retain(|_, value| *value > 0.0);
    sums
}

/// The same from the ledger, and from the record of requests. A retry is a failed attempt that was not the last of its job's.
const LEDGER: &str = "\
select 'jobs ' || kind || ' ' || status, count(*) from jobs where finished_at is not null group by kind, status
union all select 'jobs ' || j.kind || ' retried', count(*) from job_attempts a join jobs j on j.id = a.job_id
          where a.outcome = 'retry' group by j.kind
union all select 'tokens input', sum(tokens_in) from llm_ledger
union all select 'tokens output', sum(tokens_out) from llm_ledger
union all select 'micro-dollars', sum(cost_micro_usd) from llm_ledger
union all select 'calls ' || status, count(*) from llm_ledger group by status
union all select 'meetings', sum(meetings) from city_syncs
union all select 'vendor requests', count(*) from responses
union all select 'vendor durations', count(*) from responses
union all select 'items', count(*) from agenda_items";

async fn booked(client: &Client) -> Sums {
    let rows = client.query(&format!("select k, n::bigint from ({LEDGER}) as l(k, n)"), &[]).await.unwrap();
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let sums = rows.iter().map(|row| (row.get(0), row.get::<_, i64>(1) as f64));
    sums.filter(|(_, value)| *value > 0.0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute: scripts/test --all"]
async fn the_sums_over_four_workers_are_the_ledger() {
    let demo = Demo::done(4, &[]).await;
    let workers = demo.targets().await.iter().filter(|(role, _)| role == "worker").count();
    assert_eq!(workers, 4);
    let client = demo.database().await;
    let (until, ledger) = (Instant::now() + PATIENCE, booked(&client).await);
    let pages = loop {
        let pages = counted(&demo).await;
        if pages == ledger || Instant::now() > until {
            break pages;
        }
        sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(pages, ledger);
    assert!(ledger["micro-dollars"] > 0.0 && ledger["tokens output"] > 0.0, "{ledger:?}");
    let calls = ledger.iter().filter(|(key, _)| key.starts_with("calls ")).map(|(_, n)| n).sum::<f64>();
    assert_eq!(Some(calls), demo.report["model_calls"].as_f64(), "the model's own count");
    assert!(ledger.keys().any(|key| key.ends_with(" dead_letter")), "a demonstration has faults: {ledger:?}");
}
