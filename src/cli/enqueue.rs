//! `docket enqueue`

use super::{
    client,
    exit::{Failure, Outcome},
    input, output,
};
use crate::{
    civic::{self, Services, settings::CivicSettings},
    config::Environment,
    db::{PoolOptions, PoolPurpose, pool},
    fleet::{
        enqueue::{Enqueued, enqueue_one},
        handler::{KindMeta, Registry},
        job::NewJob,
        ledger::PgTx,
    },
};
use clap::Parser;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};
use tokio_postgres::Config;

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: docket enqueue sync_city --args '{\"city\":\"seattle-wa\",\"slot\":1}' --key seattle-1"
)]
pub(super) struct Args {
    /// Which handler runs it
    kind: String,
    /// Arguments
    #[arg(long, value_name = "JSON", default_value = "{}", conflicts_with = "args_file")]
    args: String,
    /// File with the arguments; - is standard input
    #[arg(long, value_name = "FILE")]
    args_file: Option<PathBuf>,
    /// Which workers take it; the kind's own lane if none is named
    #[arg(long)]
    lane: Option<String>,
    /// Higher first; the kind's own priority if none is given
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-1000..=1000))]
    priority: Option<i32>,
    /// Idempotency key: a job with it that is there already stays the only one
    #[arg(long)]
    key: Option<String>,
    /// Not before, such as 2026-07-01T09:00:00Z
    #[arg(long, value_name = "TIME")]
    run_at: Option<Timestamp>,
    /// Failures until it is a dead letter; the kind's own number if none is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    max_attempts: Option<i16>,
    /// Enqueue a kind that this binary doesn't know; it waits for a worker that does
    #[arg(long)]
    force: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// Enough for any arguments that are allowed, however generously they are indented.
const READ_MAX: u64 = 1 << 20;

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let job = job(&args, &client::database(env)?)?;
    let (kind, lane) = (job.kind.clone(), job.lane.clone());
    let enqueued = enqueue_one(&client::connect(env).await?, job).await?;
    tell(enqueued, &json!({ "kind": kind, "lane": lane }), args.json)
}

/// What became of a job; `more` is what the caller wants to add to the JSON object.
pub(super) fn tell(enqueued: Enqueued, more: &Value, json: bool) -> Outcome {
    let (id, existing, status) = match enqueued {
        Enqueued::New(id) => (id, false, crate::fleet::job::Status::Pending),
        Enqueued::Existing(id, status) => (id, true, status),
    };
    if json {
        let mut object = json!({ "id": id, "existing": existing, "status": status });
        if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
            object.extend(more.clone());
        }
        return output::json(&object);
    }
    output::text(&if existing {
        format!("job {id} has this key already ({status}); nothing was enqueued")
    } else {
        format!("job {id} enqueued; see docket jobs show {id}")
    })
}

fn job(args: &Args, config: &Config) -> Result<NewJob, Failure> {
    let known = known(config)?;
    let meta = known.get(&args.kind).map(|handler| handler.meta());
    if meta.is_none() && !args.force {
        let kinds: Vec<&str> = known.kinds().map(|meta| meta.kind).collect();
        let shown: String = args.kind.chars().take(60).collect();
        return Err(Failure::usage(format!(
            "unknown kind {shown:?}: known are {}; --force enqueues it for a worker that knows it",
            kinds.join(", ")
        )));
    }
    let mut job = NewJob::new(args.kind.as_str(), &parse(args)?).map_err(Failure::usage)?;
    if let Some(meta) = meta {
        job = defaults(job, meta);
    }
    if let Some(lane) = &args.lane {
        job = job.lane(lane.as_str());
    }
    if let Some(priority) = args.priority {
        job = job.priority(priority);
    }
    job.idempotency_key.clone_from(&args.key);
    job.run_at = args.run_at;
    job.max_attempts = args.max_attempts.unwrap_or(job.max_attempts);
    job.check().map_err(Failure::usage)?;
    Ok(job)
}

fn defaults(mut job: NewJob, meta: &KindMeta) -> NewJob {
    job.args_version = meta.args_version;
    job.lane(meta.lane).priority(meta.priority.into()).max_attempts(meta.retry.max_attempts)
}

fn parse(args: &Args) -> Result<Value, Failure> {
    let (text, source) = match &args.args_file {
        Some(path) => (input::read(path, READ_MAX)?, "--args-file"),
        None => (args.args.clone().into_bytes(), "--args"),
    };
    serde_json::from_slice(&text).map_err(|e| Failure::usage(format!("{source}: not JSON: {e}")))
}

/// The kinds of this binary. The pool never connects: only names and defaults are asked for.
fn known(config: &Config) -> Result<Registry<PgTx>, Failure> {
    let pool = pool(config, PoolOptions::new(PoolPurpose::General, 1));
    let services = Services::new(pool, CivicSettings::default()).map_err(Failure::internal)?;
    Ok(civic::handlers(Arc::new(services)))
}
