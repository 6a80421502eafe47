//! Paid work is never paid twice: by what the model's server has counted.

use super::{
    paid_agenda::{Agenda, services},
    support::{context, gemini, models, openai, total},
};
use docket::{
    civic::handler::SummariseItem,
    dev::models::{Fault, ModelServer},
    fleet::handler::{Handler, HandlerError},
    telemetry::{TraceParent, within_trace},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const LEASE: &[&str] = &[
    "The harbor warehouse is leased to Acme Marine for ten years. The lease was offered to all residents of the harbor.",
    "The rent of the harbor warehouse is 1,240 dollars a month. It goes to the harbor fund each month without a fee.",
    "The harbor board heard the neighbors of the warehouse twice. They ask for quiet nights and for more trees there.",
];
const BUSES: &[&str] =
    &["The council purchases two electric buses for the valley route. Their chargers are part of the price."];
/// Pages have about 30 tokens: at this limit each of the lease is a chunk.
const LIMIT: usize = 100;

fn padded(pages: &[&str]) -> Vec<String> {
    // Each page is more than half of the limit.
    pages
        .iter()
        .map(|page| format!("{page}\n\n{page} Nothing else is to be said of it, and nothing was asked by anybody."))
        .collect()
}

async fn agenda() -> Agenda {
    let lease = padded(LEASE);
    let lease: Vec<&str> = lease.iter().map(String::as_str).collect();
    let items =
        [("Lease of the harbor warehouse to Acme Marine", &lease[..]), ("Electric buses for the valley route", BUSES)];
    Agenda::new(&items).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_of_everything_makes_no_call_and_one_changed_page_pays_for_itself_its_item_and_its_meeting() {
    for provider in ["openai", "gemini"] {
        let (agenda, server) = (agenda().await, ModelServer::start().await.unwrap());
        let model = if provider == "gemini" { gemini(&server, "m") } else { openai(&server, "m") };
        let services = services(&agenda.config, models(vec![model]), |settings| settings.max_input_tokens = LIMIT);
        let ends = agenda.summarise(&services).await;
        assert_eq!(total(&ends, "completed"), 3, "{ends:?}");
        let calls = server.calls();
        let booked = |chunk, item, meeting| {
            [("chunk", chunk), ("item", item), ("meeting", meeting)].map(|(kind, n): (&str, i64)| (kind.to_owned(), n))
        };
        assert_eq!(agenda.booked(0).await, booked(3, 2, 1));
        assert_eq!(calls, 6);

        let before = agenda.last_call().await;
        assert_eq!(total(&agenda.summarise(&services).await, "completed"), 3);
        assert_eq!((server.calls(), agenda.last_call().await), (calls, before), "nothing is new");

        let mut pages = padded(LEASE);
        pages[1] = padded(&[
            "The rent of the harbor warehouse is 2,480 dollars a month. It goes to the harbor fund each month.",
        ])
        .remove(0);
        let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
        agenda.replace_document(0, &pages).await;
        assert_eq!(total(&agenda.summarise(&services).await, "completed"), 3);
        assert_eq!(agenda.booked(before).await, booked(1, 1, 1));
        assert_eq!(server.calls(), calls + 3);
        let (_, summary) = agenda.shown(0).await;
        assert!(summary.is_some_and(|text| text.contains("2,480") && text.contains("Acme Marine")), "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_jobs_with_one_question_only_one_pays() {
    let (agenda, server) = (agenda().await, ModelServer::start().await.unwrap());
    server.always(Some(Fault::Slow(Duration::from_millis(300))));
    // Two processes, as far as the database can tell.
    let handlers =
        [(); 2].map(|()| SummariseItem(services(&agenda.config, models(vec![openai(&server, "m")]), |_| {})));
    let runs = handlers.iter().map(|handler| handler.run(agenda.args(0), context()));
    let ends = futures_util::future::join_all(runs).await;
    let snoozed = ends.iter().filter(|end| matches!(end, Err(HandlerError::Snooze(_)))).count();
    assert_eq!((ends.iter().filter(|end| end.is_ok()).count(), snoozed, server.calls()), (1, 1, 1), "{ends:?}");
    for handler in &handlers {
        handler.run(agenda.args(0), context()).await.unwrap();
    }
    assert_eq!(server.calls(), 1, "who waited finds the answer, and a result that was refused is not paid for again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_to_a_job_that_was_stopped_is_there_for_the_next_attempt() {
    let (agenda, server) = (agenda().await, ModelServer::start().await.unwrap());
    server.plan([Fault::Slow(Duration::from_millis(300))]);
    let services = services(&agenda.config, models(vec![openai(&server, "m")]), |_| {});
    let handler = SummariseItem(services);
    let trace = TraceParent::new(Uuid::from_u128(7), 1);
    let run = tokio::spawn({
        let (handler, args) = (handler.clone(), agenda.args(1));
        async move { within_trace(trace, handler.run(args, context())).await.map(drop) }
    });
    let until = Instant::now() + Duration::from_secs(10);
    while server.calls() == 0 && Instant::now() < until {
        sleep(Duration::from_millis(10)).await;
    }
    run.abort();
    while agenda.last_call().await == 0 && Instant::now() < until {
        sleep(Duration::from_millis(20)).await;
    }
    handler.run(agenda.args(1), context()).await.unwrap();
    assert_eq!(server.calls(), 1);
    let told = server.seen()[0].trace.as_deref().and_then(|told| told.parse::<TraceParent>().ok());
    assert_eq!(
        told.map(|told| told.trace_id()),
        trace.map(|trace| trace.trace_id()),
        "the model is told the job's trace"
    );
    let left = super::support::count(&agenda.client, "llm_reservations").await;
    assert_eq!(left, 0, "what was reserved is given back");
}
