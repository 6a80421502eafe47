//! `docket enqueue`

use super::{
    client,
    exit::{Failure, Outcome},
    input,
    kinds::kinds,
    output,
};
use crate::{
    config::Environment,
    db::{PoolOptions, PoolPurpose, pool},
    fleet::{
        enqueue::{Enqueued, enqueue_one},
        gate::{Wish, WishError},
        job::NewJob,
    },
};
use clap::Parser;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio_postgres::Config;
use uuid::Uuid;

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
    let wish = Wish {
        kind: args.kind.clone(),
        args: parse(args)?,
        lane: args.lane.clone(),
        priority: args.priority,
        idempotency_key: args.key.clone(),
        run_at: args.run_at,
        max_attempts: args.max_attempts,
        force: args.force,
        trace_id: Some(Uuid::new_v4()),
    };
    let known = kinds(pool(config, PoolOptions::new(PoolPurpose::General, 1)))?;
    known.job(wish).map_err(|error| match error {
        WishError::Unknown { .. } => Failure::usage(format!("{error}; --force enqueues it for a worker that knows it")),
        error => Failure::usage(error),
    })
}

fn parse(args: &Args) -> Result<Value, Failure> {
    let (text, source) = match &args.args_file {
        Some(path) => (input::read(path, READ_MAX)?, "--args-file"),
        None => (args.args.clone().into_bytes(), "--args"),
    };
    serde_json::from_slice(&text).map_err(|e| Failure::usage(format!("{source}: not JSON: {e}")))
}
