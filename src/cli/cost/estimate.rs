//! `docket cost estimate`

use super::dollars;
use crate::{
    civic::{
        llm::estimate::{ASSUMPTIONS, Basis, Estimate},
        store::llm_estimate,
    },
    cli::{
        client,
        exit::{Failure, Outcome},
        output,
    },
    config::{self, Environment},
};
use clap::ValueEnum;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this city's, by its short name
    #[arg(long)]
    city: Option<String>,
    /// Only of meetings from this day on
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<Date>,
    /// Only items, or only meetings
    #[arg(long, value_enum)]
    kind: Option<Subject>,
    /// The model; without it the one that is configured
    #[arg(long)]
    model: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    Item,
    Meeting,
}

pub(super) async fn run(args: Args, json: bool, env: &Environment) -> Outcome {
    let settings = config::civic(&without_models(env))?;
    let model = args
        .model
        .or_else(|| configured(env))
        .ok_or_else(|| Failure::usage("no model is configured: name one of the price table with --model"))?;
    let prices = config::price_table(env)?.ok_or_else(|| {
        Failure::usage("DOCKET_PRICES_FILE: not set: an estimate needs the prices; see docs/MODELS.md")
    })?;
    let day = Timestamp::now().to_zoned(TimeZone::UTC).date();
    if prices.since(&model, day).is_none() {
        return Err(Failure::usage(format!("model {model:?} has no price in force: add one to the price table")));
    }
    let client = client::connect(env).await?;
    let basis = Basis {
        prices: &prices,
        model: &model,
        day,
        limit: settings.max_input_tokens as u64,
        min_chars: settings.min_text_chars as u64,
    };
    let mut all: BTreeMap<(String, &'static str), Estimate> = BTreeMap::new();
    let city = args.city.as_deref();
    if args.kind != Some(Subject::Meeting) {
        for item in llm_estimate::items(&client, city, args.since).await? {
            if let Some(estimate) = basis.item(&item.title, &item.documents, item.words) {
                *all.entry((item.city, "item")).or_default() += estimate;
            }
        }
    }
    if args.kind != Some(Subject::Item) {
        for (city, items, titles) in llm_estimate::meetings(&client, city, args.since).await? {
            *all.entry((city, "meeting")).or_default() += basis.meeting(items, titles);
        }
    }
    show(&model, &all, json)
}

fn show(model: &str, all: &BTreeMap<(String, &'static str), Estimate>, json: bool) -> Outcome {
    let mut total = Estimate::default();
    all.values().for_each(|estimate| total += *estimate);
    if json {
        let items: Vec<_> = all
            .iter()
            .map(|((city, kind), estimate)| json!({ "city": city, "kind": kind, "estimate": estimate }))
            .collect();
        return output::json(&json!({ "model": model, "items": items, "total": total, "assumptions": ASSUMPTIONS }));
    }
    let cells = |estimate: &Estimate| {
        let money = |micro: u64| dollars(i64::try_from(micro).unwrap_or(i64::MAX));
        let Estimate { texts, calls, tokens_in, tokens_out, cost_micro_usd, batch_micro_usd } = *estimate;
        let [texts, calls, tokens_in, tokens_out] = [texts, calls, tokens_in, tokens_out].map(|n| n.to_string());
        (texts, calls, tokens_in, tokens_out, money(cost_micro_usd), money(batch_micro_usd))
    };
    let row = |city: &str, kind: &str, estimate: &Estimate| {
        let (texts, calls, tokens_in, tokens_out, cost, batch) = cells(estimate);
        [city.to_owned(), kind.to_owned(), texts, calls, tokens_in, tokens_out, cost, batch]
    };
    let rows = all.iter().map(|((city, kind), estimate)| row(city, kind, estimate));
    let header = ["city", "kind", "texts", "calls", "tokens in", "tokens out", "cost", "in batches"];
    output::table(header, rows.chain([row("all", "", &total)]))?;
    output::text(&format!("With {model}, if:\n- {}", ASSUMPTIONS.join("\n- ")))
}

/// The first model, whether or not its key is here: no model is asked.
fn configured(env: &Environment) -> Option<String> {
    let name = match env.get("DOCKET_SUMMARISER") {
        Some("openai") => "DOCKET_OPENAI_MODEL",
        Some("gemini") => "DOCKET_GEMINI_MODEL",
        _ => return None,
    };
    env.get(name).map(str::to_owned)
}

fn without_models(env: &Environment) -> Environment {
    env.clone().without(&["DOCKET_SUMMARISER"])
}
