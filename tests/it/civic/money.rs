//! Budgets that hold under sixteen workers, jobs that wait for them, and sums that are the same wherever they are told.

use super::{
    paid_agenda::{Agenda, Item, services},
    support::{context, count, demo, drain, gemini, ledger, models, openai, url_of, without_breakers},
};
use crate::{
    cli::process::docket,
    support::{metrics, sum},
};
use docket::{
    civic::{
        Services, enqueue_sync,
        handler::SummariseItem,
        llm::{
            Call, CallStatus, PROMPT_VERSION, PromptType, ProviderKind, Usage,
            budget::{Budget, Budgets, Decision, Period, Scope},
        },
        model::Fingerprint,
        settings::CivicSettings,
        store::{
            cities,
            llm_costs::{self, By},
            llm_ledger::Booking,
            llm_money::{self, Question, Reserved, Settlement, Wish},
        },
    },
    db::{PoolOptions, PoolPurpose, pool},
    dev::models::{Fault, ModelServer},
    fleet::{
        handler::{Handler, HandlerError},
        job::{Hold, JobId},
    },
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio_postgres::{Client, Config};

const TITLE: &str = "Lease of the harbor warehouse to Acme Marine";
const TEXT: &[&str] =
    &["The harbor warehouse is leased to Acme Marine for ten years, and the harbor agrees to the lease."];

pub(super) fn budgets(list: &[(Scope, Option<&str>, Period, u64)]) -> Budgets {
    let budget = |(scope, name, period, limit): &(Scope, Option<&str>, Period, u64)| Budget {
        scope: *scope,
        name: name.map(str::to_owned),
        period: *period,
        limit_micro_usd: *limit,
    };
    Budgets::new(list.iter().map(budget).collect()).unwrap()
}

async fn micro_usd(client: &Client, sql: &str) -> u64 {
    let sum: i64 = client.query_one(&format!("select coalesce(sum({sql}"), &[]).await.unwrap().get(0);
    u64::try_from(sum).unwrap()
}

async fn spent(client: &Client) -> u64 {
    micro_usd(client, "cost_micro_usd), 0)::bigint from llm_ledger").await
}

pub(super) fn call(cost: u64) -> Call {
    Call {
        provider: ProviderKind::OpenAi,
        model: "m".into(),
        prompt_version: PROMPT_VERSION,
        prompt: PromptType::Item,
        status: CallStatus::Ok,
        usage: Usage::default(),
        estimated: false,
        cost,
        duration: Duration::ZERO,
    }
}

/// One worker: it asks for money until there is none, and spends up to what it asked for. Returns its calls.
async fn spender(config: Config, worker: u64, limit: u64) -> u64 {
    const WORST: u64 = 1_000;
    let pool = pool(&config, PoolOptions::new(PoolPurpose::General, 1));
    let budgets = budgets(&[(Scope::Total, None, Period::Day, limit), (Scope::City, None, Period::Month, limit)]);
    for n in 0_u64.. {
        let input = Fingerprint::of_bytes(format!("{worker}/{n}").as_bytes());
        let question = Question { input: &input, prompt_version: "2", model: "m", attempt: 1 };
        let wish =
            Wish { question, city: "a", job: JobId(1), worst: WORST, lives: Duration::from_secs(60), along: None };
        let holder = loop {
            match llm_money::reserve(&mut pool.get().await.unwrap(), &budgets, &wish).await.unwrap() {
                Reserved::Granted(holder, _) => break holder,
                Reserved::Refused(Decision::Wait, _) => tokio::time::sleep(Duration::from_millis(3)).await,
                Reserved::Refused(Decision::Spent(_), _) => return n,
                other => panic!("{other:?}"),
            }
        };
        tokio::time::sleep(Duration::from_millis(2)).await;
        // Most calls cost far less than they may, some all of it.
        let call = call(if (worker + n).is_multiple_of(5) { WORST } else { 137 * (1 + (worker + n) % 4) });
        let booking = Booking { job: None, city: Some("a"), call: &call };
        let settlement = Settlement { question, holder, booking, answer: None, along: &[], pause: None };
        assert!(llm_money::settle(&mut pool.get().await.unwrap(), &settlement).await.unwrap());
    }
    unreachable!("money ends")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_workers_with_a_pool_each_never_spend_more_than_the_budget() {
    const LIMIT: u64 = 50_000;
    let (config, client) = super::support::database().await;
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..16 {
        workers.spawn(spender(config.clone(), worker, LIMIT));
    }
    let calls: u64 = workers.join_all().await.into_iter().sum();
    let spent = spent(&client).await;
    assert!(spent <= LIMIT, "{spent} of {LIMIT}");
    assert!(spent > LIMIT - 1_000, "{spent} of {LIMIT}: what is left is less than a call may cost");
    for scope in ["total", "city:a", "model:m"] {
        for period in ["day", "month"] {
            let sql =
                format!("spent_micro_usd), 0)::bigint from llm_spend where scope = '{scope}' and period = '{period}'");
            assert_eq!(micro_usd(&client, &sql).await, spent, "{scope} {period}");
        }
    }
    assert_eq!(count(&client, "llm_reservations").await, 0);
    eprintln!("16 workers, {calls} calls: {spent} of {LIMIT} micro-dollars spent, overshoot 0");
}

/// Runs what is due, and what waits for a moment only, with sixteen workers in two processes' worth of pools.
async fn drain_together(config: &Config, client: &Client, both: &[Arc<Services>; 2]) {
    loop {
        let mut workers = tokio::task::JoinSet::new();
        for n in 0..16 {
            let (ledger, services) = (ledger(config), both[n % 2].clone());
            workers.spawn(async move { drain(&ledger, &services).await });
        }
        workers.join_all().await;
        let sql = "update jobs set hold_until = now() where status = 'pending' and hold in ('scheduled', 'retry')";
        let sooner = client.execute(sql, &[]).await.unwrap();
        let due = count(client, "jobs where status = 'pending' and hold is null").await;
        if sooner == 0 && due == 0 {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spent_budget_holds_jobs_until_its_reset_and_costs_them_nothing() {
    budget_holds(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_holds_as_well_when_calls_are_about_several_items() {
    budget_holds(4).await;
}

async fn budget_holds(items_per_call: usize) {
    const LIMIT: u64 = 12_000;
    let model = crate::support::unique("budget-model");
    let (config, client) = super::support::database().await;
    let (demo, server) = (demo().await, ModelServer::start().await.unwrap());
    server.always(Some(Fault::Slow(Duration::from_millis(20))));
    let settings = |limit: u64| {
        let summariser = models(vec![openai(&server, &model)]);
        let mut settings = CivicSettings { summariser, ..CivicSettings::default() };
        settings.http.allowed.push(demo.allowed());
        settings.items_per_call = items_per_call;
        settings.budgets =
            budgets(&[(Scope::City, None, Period::Day, limit), (Scope::Total, None, Period::Month, 900_000)]);
        settings
    };
    let two = |limit: u64| {
        [(); 2].map(|()| {
            let pool = pool(&config, PoolOptions::new(PoolPurpose::General, 8));
            without_breakers(Services::new(pool, settings(limit)).unwrap())
        })
    };
    cities::add(&client, &demo.city()).await.unwrap();
    enqueue_sync(&client, &demo.city().slug, &settings(LIMIT)).await.unwrap();
    drain_together(&config, &client, &two(LIMIT)).await;

    let (paid, calls) = (spent(&client).await, server.calls());
    assert!(paid <= LIMIT && paid > LIMIT / 2, "{paid} of {LIMIT}");
    let held = count(&client, "jobs where hold = 'budget' and hold_key = 'budget:day'").await;
    assert!(held > 0);
    assert_eq!(count(&client, "jobs where hold = 'budget' and (failures > 0 or losses > 0)").await, 0);
    let midnight = "((date_trunc('day', now() at time zone 'utc') + interval '1 day') at time zone 'utc')";
    let late =
        format!("jobs where hold = 'budget' and hold_until not between {midnight} and {midnight} + interval '6 min'");
    assert_eq!(count(&client, &late).await, 0, "until midnight of UTC, and a share of five minutes");
    let day = || async {
        let budgets = budgets(&[(Scope::City, None, Period::Day, LIMIT)]);
        llm_costs::standings(&client, &budgets).await.unwrap()
    };
    let standing = day().await.remove(0);
    assert_eq!((standing.account.as_str(), standing.spent_micro_usd), ("city:alder-falls", paid));

    // The next day, as far as the jobs can tell: there is money, and their time has come.
    client.execute("update jobs set hold_until = now() where hold = 'budget'", &[]).await.unwrap();
    drain_together(&config, &client, &two(900_000)).await;
    assert_eq!(count(&client, "jobs where status = 'pending'").await, 0);
    assert_eq!(count(&client, "meetings where status <> 'cancelled' and summary_id is null").await, 0);
    assert!(server.calls() > calls);
    let together = count(&client, "llm_ledger where prompt_type = 'batch'").await;
    assert_eq!(together > 0, items_per_call > 1, "{together} calls about several items");
    sums_agree(&config, &client, &model).await;
    eprintln!(
        "16 workers in two pools: {paid} of {LIMIT} micro-dollars spent by {calls} calls, {held} jobs held, overshoot 0"
    );
}

/// What the ledger, the metric, the accounts, the report and the command say.
pub(super) async fn sums_agree(config: &Config, client: &Client, model: &str) {
    let ledger = spent(client).await;
    assert!(ledger > 0);
    let metric = sum(&metrics().render(), &format!("docket_llm_request_cost_usd_sum{{model=\"{model}\""));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand micro-dollars")]
    let metric = (metric * 1e6).round() as u64;
    assert_eq!(metric, ledger, "the metric");
    for by in [By::City, By::Model, By::Kind, By::Day] {
        let rows = llm_costs::by(client, by, None).await.unwrap();
        let total: i64 = rows.iter().map(|row| row.cost_micro_usd).sum();
        assert_eq!(u64::try_from(total).unwrap(), ledger, "{by:?}");
    }
    let accounts = "spent_micro_usd), 0)::bigint from llm_spend where scope = 'total' and period = 'month'";
    assert_eq!(micro_usd(client, accounts).await, ledger, "the accounts");
    let url = url_of(config).await;
    let told = docket("cost --by kind").database(&url).json().await;
    assert_eq!(told["cost_micro_usd"].as_u64(), Some(ledger), "{told}");
    assert_eq!(docket("cost --since 2999-01-01").database(&url).json().await["cost_micro_usd"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_and_a_quota_are_waited_for_without_asking_again() {
    let items: [Item<'_>; 2] = [(TITLE, TEXT), ("Electric buses for the valley route and its riders", TEXT)];
    let day = Duration::from_hours(25);
    for (fault, of_gemini, at_most) in [
        (Fault::RateLimited(Duration::from_secs(22)), true, Duration::from_secs(60)),
        (Fault::RateLimited(Duration::from_secs(22)), false, Duration::from_secs(60)),
        (Fault::DailyQuota, true, day),
        (Fault::DailyQuota, false, day),
        (Fault::NoMoney, false, Duration::from_mins(62)),
    ] {
        let (agenda, server) = (Agenda::new(&items).await, ModelServer::start().await.unwrap());
        let model = if of_gemini { gemini(&server, "m") } else { openai(&server, "m") };
        let zone = model.quota_zone.clone();
        let services = services(&agenda.config, models(vec![model]), |_| {});
        server.plan([fault.clone()]);
        for at in [0, 1] {
            let error = SummariseItem(services.clone()).run(agenda.args(at), context()).await.map(drop).unwrap_err();
            let HandlerError::HeldFor { hold: Hold::Limit, key, after } = &error else { panic!("{fault:?}: {error}") };
            assert_eq!(key, "model:m");
            assert!(*after > Duration::from_secs(1) && *after <= at_most, "{fault:?}: {after:?}");
            if fault == Fault::DailyQuota {
                let reset = Timestamp::now().saturating_add(*after).unwrap().to_zoned(zone.clone());
                assert!(reset.hour() == 0 && reset.minute() <= 1, "midnight where the quota is counted: {reset}");
            }
        }
        assert_eq!(server.calls(), 1, "{fault:?}: the second job knows without asking");
        agenda.client.execute("update llm_pauses set until = now()", &[]).await.unwrap();
        SummariseItem(services).run(agenda.args(0), context()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_that_one_call_may_break_is_told_as_what_it_is() {
    let (agenda, server) = (Agenda::new(&[(TITLE, TEXT)]).await, ModelServer::start().await.unwrap());
    let services = services(&agenda.config, models(vec![openai(&server, "m")]), |settings| {
        settings.budgets = budgets(&[(Scope::Model, Some("m"), Period::Month, 10)]);
    });
    let error = SummariseItem(services).run(agenda.args(0), context()).await.map(drop).unwrap_err();
    assert!(
        matches!(&error, HandlerError::NonRetryable { message, .. } if message.contains("max_input_tokens")),
        "{error}"
    );
    assert_eq!(server.calls(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_estimate_counts_the_calls_that_are_made() {
    let page = format!("The harbor pays for its warehouse. {}", "The harbor is quiet at night. ".repeat(30));
    let pages: [&str; 3] = [&page; 3];
    let items: [Item<'_>; 3] =
        [(TITLE, TEXT), ("Quiet nights at the harbor and its warehouse", &pages), ("Call to Order", TEXT)];
    let (agenda, server) = (Agenda::new(&items).await, ModelServer::start().await.unwrap());
    let prices = tempfile::NamedTempFile::new().unwrap();
    let row = serde_json::json!([{ "model": "m", "effective_from": "2026-01-01", "input": 1_000_000, "cached": 100_000,
                                   "output": 2_000_000, "batch_percent": 50, "source": "made up" }]);
    std::fs::write(prices.path(), row.to_string()).unwrap();
    let url = url_of(&agenda.config).await;
    let estimate = async |args: &str| {
        let command = docket(&format!("cost estimate --model m {args}")).database(&url);
        let command = command.env("DOCKET_PRICES_FILE", prices.path().to_str().unwrap());
        command.env("DOCKET_MAX_INPUT_TOKENS", "500").json().await["total"].clone()
    };
    let before = estimate("").await;
    let services =
        services(&agenda.config, models(vec![openai(&server, "m")]), |settings| settings.max_input_tokens = 500);
    agenda.summarise(&services).await;
    assert_eq!(before["calls"].as_u64(), Some(server.calls()), "{before}");
    assert!(
        before["cost_micro_usd"].as_u64().unwrap() > 0
            && before["batch_micro_usd"].as_u64() < before["cost_micro_usd"].as_u64()
    );
    assert_eq!(estimate("").await["calls"], 0, "nothing is missing");
    assert_eq!(estimate("--city nowhere --kind item --since 2026-01-01").await["calls"], 0);
    docket("cost estimate --model unknown").database(&url).fails(64, &["DOCKET_PRICES_FILE"]).await;
}
