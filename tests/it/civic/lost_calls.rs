//! Calls whose workers die: money that may be spent is booked, once, and what was only reserved is free again.

use super::{
    money::{budgets, call, sums_agree},
    paid_agenda::{Agenda, services},
    support::{context, count, database, models, openai},
};
use crate::support::{metrics, unique};
use docket::{
    civic::{
        book_lost_calls,
        handler::SummariseItem,
        llm::{
            Answer, PromptType, ProviderKind,
            budget::{Decision, Period, Scope},
        },
        model::Fingerprint,
        store::{
            llm_answers::NewAnswer,
            llm_ledger::Booking,
            llm_money::{self, Beginning, Question, Reserved, Settlement, Wish},
        },
    },
    db::{Pool, PoolOptions, PoolPurpose, pool},
    dev::models::{Fault, ModelServer},
    fleet::{handler::Handler, job::JobId},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;
use uuid::Uuid;

const LIVES: Duration = Duration::from_secs(60);

/// A day's budget of 1,500 micro-dollars, and what asks for it.
struct Money {
    client: Client,
    pool: Pool,
}

impl Money {
    async fn new() -> Self {
        let (config, client) = database().await;
        Self { client, pool: pool(&config, PoolOptions::new(PoolPurpose::General, 8)) }
    }

    async fn ask(&self, input: &Fingerprint, worst: u64) -> Reserved {
        let budgets = budgets(&[(Scope::Total, None, Period::Day, 1_500)]);
        let wish = Wish { question: question(input), city: "a", job: JobId(1), worst, lives: LIVES, along: None };
        llm_money::reserve(&mut self.pool.get().await.unwrap(), &budgets, &wish).await.unwrap()
    }

    /// As [`Money::ask`], with the money for it.
    async fn granted(&self, input: &Fingerprint, worst: u64) -> Uuid {
        match self.ask(input, worst).await {
            Reserved::Granted(holder, _) => holder,
            other => panic!("{other:?}"),
        }
    }

    async fn begin(&self, input: &Fingerprint, holder: Uuid) -> bool {
        let (provider, prompt) = (ProviderKind::OpenAi, PromptType::Item);
        let beginning = Beginning { question: question(input), holder, along: &[], provider, prompt, lives: LIVES };
        llm_money::begin(&self.client, &beginning).await.unwrap()
    }

    async fn book(&self) {
        book_lost_calls(&mut self.pool.get().await.unwrap()).await.unwrap();
    }

    /// The workers of all calls under way are dead.
    async fn expire(&self) {
        self.client.execute("update llm_reservations set expires_at = now()", &[]).await.unwrap();
    }

    /// Calls in the ledger, their cost, and what the day has cost.
    async fn booked(&self) -> (i64, i64, i64) {
        let sql = "select count(*), coalesce(sum(cost_micro_usd), 0)::bigint, coalesce((select spent_micro_usd from llm_spend \
                   where scope = 'total' and period = 'day'), 0) from llm_ledger";
        let row = self.client.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    }
}

fn question(input: &Fingerprint) -> Question<'_> {
    Question { input, prompt_version: "2", model: "m", attempt: 1 }
}

fn input(n: i32) -> Fingerprint {
    Fingerprint::of_bytes(&n.to_be_bytes())
}

#[tokio::test]
async fn what_was_reserved_for_a_call_that_never_began_is_free_again() {
    let (money, [one, two]) = (Money::new().await, [1, 2].map(input));
    let holder = money.granted(&one, 1_000).await;
    assert_eq!(money.ask(&one, 1_000).await, Reserved::Taken);
    assert!(matches!(money.ask(&two, 1_000).await, Reserved::Refused(Decision::Wait, _)));
    assert!(matches!(money.ask(&two, 1_501).await, Reserved::Refused(Decision::TooDear(1_500), _)));
    money.expire().await;
    assert!(!money.begin(&one, holder).await, "too late: others may have it by now");
    assert_eq!(money.ask(&two, 1_000).await, Reserved::Unbooked);
    money.book().await;
    money.granted(&two, 1_000).await;
    assert_eq!(money.booked().await, (0, 0, 0));
    assert!(!money.begin(&one, holder).await);
}

#[tokio::test]
async fn a_call_that_began_and_was_never_settled_is_booked_once_at_the_most_that_it_can_have_cost() {
    let (money, [one, two]) = (Money::new().await, [1, 2].map(input));
    let holder = money.granted(&one, 1_000).await;
    assert!(money.begin(&one, holder).await);
    money.book().await;
    assert_eq!(money.booked().await, (0, 0, 0), "it is under way");
    money.expire().await;
    let pool = &money.pool;
    futures_util::future::join_all(
        (0..8).map(|_| async { book_lost_calls(&mut pool.get().await.unwrap()).await.unwrap() }),
    )
    .await;
    assert_eq!(money.booked().await, (1, 1_000, 1_000));
    let row = "llm_ledger where status = 'lost' and estimated and job_id = 1 and city = 'a' and provider = 'openai' \
               and model = 'm' and prompt_type = 'item'";
    assert_eq!(count(&money.client, row).await, 1);
    assert!(matches!(money.ask(&two, 1_000).await, Reserved::Refused(Decision::Spent(Period::Day), _)));

    // It was not dead, only slow: its answer is of use, and its money is not counted twice.
    let answer = Answer { summary: "The harbor is leased.".into(), pages: vec![1] };
    let (call, answer) = (call(400), Some(NewAnswer::Summary(&answer)));
    let booking = Booking { job: Some(JobId(1)), city: Some("a"), call: &call };
    let settlement = Settlement { question: question(&one), holder, booking, answer, along: &[], pause: None };
    assert!(!llm_money::settle(&mut pool.get().await.unwrap(), &settlement).await.unwrap());
    assert_eq!(money.booked().await, (1, 1_000, 1_000));
    assert_eq!(money.ask(&one, 1).await, Reserved::Answered);
}

#[tokio::test]
async fn a_call_without_a_price_is_booked_too_and_one_about_several_items_once() {
    let (money, inputs) = (Money::new().await, [1, 2, 3].map(input));
    let free = money.granted(&inputs[0], 0).await;
    assert!(money.begin(&inputs[0], free).await);
    let along = [inputs[1].as_str(), inputs[2].as_str()];
    let along = llm_money::Along { inputs: &along, most: 2, models: &["m"], worst: 900 };
    let own = input(4);
    let wish =
        Wish { question: question(&own), city: "a", job: JobId(2), worst: 300, lives: LIVES, along: Some(along) };
    let reserved = llm_money::reserve(&mut money.pool.get().await.unwrap(), &budgets(&[]), &wish).await.unwrap();
    let Reserved::Granted(holder, taken) = reserved else { panic!("{reserved:?}") };
    assert_eq!(taken.len(), 2);
    let (provider, prompt) = (ProviderKind::Gemini, PromptType::Batch);
    let beginning = Beginning { question: question(&own), holder, along: &inputs[1..], provider, prompt, lives: LIVES };
    assert!(llm_money::begin(&money.client, &beginning).await.unwrap());
    money.expire().await;
    money.book().await;
    assert_eq!(money.booked().await, (2, 900, 900));
    assert_eq!(count(&money.client, "llm_ledger where prompt_type = 'batch' and cost_micro_usd = 900").await, 1);
    assert_eq!(count(&money.client, "llm_reservations").await, 0);
}

#[test]
fn a_worker_that_dies_within_a_call_leaves_its_money_booked_and_its_question_is_asked_again() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (live, worker) = (runtime(), runtime());
    let model = unique("lost-model");
    metrics();
    let text: &[&str] =
        &["The harbor warehouse is leased to Acme Marine for ten years, and the harbor agrees to the lease."];
    let (agenda, server) = live.block_on(async {
        let agenda = Agenda::new(&[("Lease of the harbor warehouse to Acme Marine", text)]).await;
        (Arc::new(agenda), ModelServer::start().await.unwrap())
    });
    server.plan([Fault::Slow(Duration::from_secs(60))]);
    let handler = || SummariseItem(services(&agenda.config, models(vec![openai(&server, &model)]), |_| {}));
    let (dies, args) = (worker.block_on(async { handler() }), agenda.args(0));
    worker.spawn(async move { dies.run(args, context()).await.map(drop) });
    live.block_on(async {
        let until = Instant::now() + Duration::from_secs(60);
        while server.calls() == 0 && Instant::now() < until {
            sleep(Duration::from_millis(10)).await;
        }
    });
    // No task of it runs on: as if it had been killed.
    worker.shutdown_background();
    live.block_on(async {
        assert_eq!(count(&agenda.client, "llm_reservations where asked_at is not null").await, 1);
        agenda.client.execute("update llm_reservations set expires_at = now()", &[]).await.unwrap();
        handler().run(agenda.args(0), context()).await.unwrap();
        assert_eq!(server.calls(), 2);
        assert_eq!(count(&agenda.client, "llm_ledger where status = 'lost' and cost_micro_usd > 0").await, 1);
        assert_eq!(count(&agenda.client, "llm_ledger where status = 'ok'").await, 1);
        sums_agree(&agenda.config, &agenda.client, &model).await;
    });
}
