//! `docket demo`: `docket dev` and a made-up city, always on private servers.

mod progress;
mod report;

use super::{
    exit::{Failure, Outcome},
    local::{LocalFleet, LocalSpec},
    output, role,
};
use crate::{
    civic::{enqueue_sync, store::cities},
    config::{self, Environment},
    dev::city::{CitySpec, DemoCity},
};
use clap::Parser;
use progress::Progress;
use report::Report;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: docket demo --workers 2 --stay\nAlways on private servers, whatever DATABASE_URL says."
)]
pub(super) struct Args {
    /// Worker processes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=32))]
    workers: u8,
    /// Work without RabbitMQ: workers take their jobs from the database
    #[arg(long)]
    no_broker: bool,
    /// Go on serving the API when the work is done, until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// Print one line of JSON: what came out
    #[arg(long)]
    json: bool,
    /// Address of API and metrics; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    http: SocketAddr,
    /// State directory of the private servers
    #[arg(long, value_name = "DIR", default_value = ".docket/demo")]
    dir: PathBuf,
}

/// The work takes half a minute, most of it backoff; this is for a machine in trouble.
const GIVE_UP: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn run(args: Args, env: Environment) -> Outcome {
    let shutdown = role::signals(false)?;
    let city = DemoCity::start(&CitySpec::default()).await.map_err(Failure::internal)?;
    let allowed = city.allowed();
    let mut env = env.without(&["DATABASE_URL", "DATABASE_URL_FILE", "AMQP_URL", "AMQP_URL_FILE"]);
    env = env.without(&["DOCKET_HTTP_TOKEN", "DOCKET_HTTP_TOKEN_FILE"]);
    env.set_default("DOCKET_ALLOW_HOSTS", &format!("{}:{}", allowed.host, allowed.port));
    // A worker's log would stand between the bars.
    env.set_default("DOCKET_LOG", "error");
    let (broker, workers) = (!args.no_broker, args.workers.into());
    let spec = LocalSpec { dir: args.dir.clone(), keep: false, broker, workers, http: args.http };
    let progress = Progress::new();
    let fleet = LocalFleet::start(spec, &mut env, shutdown.clone()).await?;
    progress.places(&fleet.places());
    let worked = work(&fleet, &env, &city, &progress, &shutdown).await;
    progress.finish();
    let shown = match &worked {
        Ok(report) => show(&args, &fleet, report, &city),
        Err(_) => Ok(()),
    };
    if args.stay && worked.is_ok() {
        shutdown.cancelled().await;
    }
    fleet.stop().await?;
    shown?;
    worked?.compare(&city.expected())
}

async fn work(
    fleet: &LocalFleet,
    env: &Environment,
    city: &DemoCity,
    progress: &Progress,
    shutdown: &CancellationToken,
) -> Result<Report, Failure> {
    let client = crate::db::connect(&fleet.process.database).await?;
    let begun = Instant::now();
    cities::add(&client, &city.city()).await.map_err(Failure::internal)?;
    enqueue_sync(&client, &city.city().slug, &config::civic(env)?).await.map_err(Failure::internal)?;
    loop {
        let report = Report::read(&client, begun.elapsed()).await?;
        progress.update(&report, &city.expected());
        if report.jobs.open() == 0 {
            return Ok(Report { site_requests: city.requests(), ..report });
        }
        if begun.elapsed() > GIVE_UP {
            return Err(Failure::internal(format!("{} jobs are still open after {GIVE_UP:?}", report.jobs.open())));
        }
        if shutdown.run_until_cancelled(sleep(LOOK)).await.is_none() {
            return Err(Failure::internal("stopped before the work was done"));
        }
    }
}

fn show(args: &Args, fleet: &LocalFleet, report: &Report, city: &DemoCity) -> Outcome {
    if args.json {
        return output::json(report);
    }
    output::table(["what", "came out", "planned"], report.rows(&city.expected()))?;
    for (name, url) in fleet.places().iter().filter(|_| args.stay) {
        output::text(&format!("{name:<20} {url}"))?;
    }
    let hint = if args.stay { "Ctrl-C stops everything." } else { "Run it with --stay to look around afterwards." };
    output::text(hint)
}
