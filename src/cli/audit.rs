//! `docket audit`

use super::{
    client,
    exit::{Failure, Outcome},
    output,
};
use crate::{
    config::{self, Environment},
    fleet::{
        audit::{self, AuditSettings, Class, DeepError, Verdict},
        broker::{AmqpBroker, BrokerSettings},
    },
};
use clap::Parser;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket audit --json\n         docket lanes pause slow && docket audit --deep slow\n\
    A scheduler audits all the time; this tells its last verdict, and looks itself where none is fresh. Exit codes: 0 \
    every job is accounted for; 65 some are not; 64 --deep on a lane that is not at rest; 69 the database, or a broker \
    that is needed, is away. docs/AUDIT.md tells what each class means.")]
pub(super) struct Args {
    /// Read every row of this lane, which must be paused and drained; rows that no message carries go back to pending
    #[arg(long, value_name = "LANE")]
    deep: Option<String>,
    /// Look now, for two intervals, whatever a scheduler found
    #[arg(long, conflicts_with = "deep")]
    fresh: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// How long it tries to reach the broker.
const PATIENCE: Duration = Duration::from_secs(10);
/// A verdict is fresh for so many intervals.
const FRESH: u32 = 4;

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let fleet = config::fleet(env)?;
    let settings = AuditSettings::new(fleet.topology.lanes().to_vec(), &fleet.protocol);
    let client = client::connect(env).await?;
    let verdict = if let Some(lane) = &args.deep {
        let broker = broker(env).await?;
        let verdict = audit::deep(&client, &broker, lane).await;
        broker.shutdown().await;
        verdict?
    } else {
        let kept = if args.fresh { None } else { audit::verdict(&client, settings.interval * FRESH).await? };
        match kept {
            Some(verdict) => verdict,
            None => look(&client, env, &settings).await?,
        }
    };
    if args.json {
        output::json(&verdict)?
    } else {
        tell(&verdict)?
    }
    conclude(&verdict)
}

async fn look(
    client: &tokio_postgres::Client,
    env: &Environment,
    settings: &AuditSettings,
) -> Result<Verdict, Failure> {
    let broker = broker(env).await?;
    output::note(&format!("no fresh verdict of a scheduler is there: looking for {:?}", settings.interval * 2));
    let verdict = audit::once(client, &broker, settings).await;
    broker.shutdown().await;
    Ok(verdict?)
}

async fn broker(env: &Environment) -> Result<AmqpBroker, Failure> {
    let url = config::amqp(env)?.ok_or_else(|| Failure::usage("AMQP_URL: not set: name the broker to look at"))?;
    let broker = AmqpBroker::start(&url, BrokerSettings::default(), &CancellationToken::new())
        .map_err(|error| Failure::usage(format!("AMQP_URL: {error}")))?;
    match broker.wait_ready(PATIENCE).await {
        Ok(()) => Ok(broker),
        Err(error) => Err(Failure::unavailable(format!("the broker can't be reached: {error}; check AMQP_URL"))),
    }
}

fn tell(verdict: &Verdict) -> Outcome {
    let found = Class::ALL.into_iter().filter(|class| verdict.count(*class) > 0);
    let rows: Vec<[String; 4]> = found
        .map(|class| {
            let (name, jobs) = (class.as_str().to_owned(), verdict.count(class).to_string());
            [name, jobs, class.meaning().to_owned(), class.remedy().to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        output::table(["class", "jobs", "what", "remedy"], rows)?;
    }
    if !verdict.unjudged.is_empty() {
        output::text(&format!("not judged, the broker gives no answer: {}", verdict.unjudged.join(", ")))?;
    }
    let all = if verdict.accounted { "every job is accounted for: " } else { "" };
    output::text(&format!("{all}{} jobs checked, {} s ago", verdict.checked_jobs, verdict.checked_seconds_ago))
}

fn conclude(verdict: &Verdict) -> Outcome {
    match verdict.unaccounted() {
        _ if verdict.accounted => Ok(()),
        0 => Err(Failure::unavailable("not everything could be judged: the broker gives no answer")),
        jobs => Err(Failure::disagreement(format!("{jobs} jobs are not accounted for"))),
    }
}

impl From<DeepError> for Failure {
    fn from(error: DeepError) -> Self {
        match error {
            DeepError::Database(error) => error.into(),
            DeepError::NotPaused { .. } | DeepError::InFlight { .. } => Self::usage(error),
        }
    }
}
