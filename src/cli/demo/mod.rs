//! `docket demo`: `docket dev` and five made-up cities, always on private servers.

mod money;
mod places;
mod progress;
mod report;

use super::{
    exit::{Failure, Outcome},
    local::{LocalFleet, LocalSpec},
    output, role,
};
use crate::{
    civic::{enqueue_sync, settings::CivicSettings, store::cities},
    config::{self, Environment},
    dev::city::Five,
};
use clap::Parser;
use money::Money;
use progress::Progress;
use report::Report;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;
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

/// The work takes a minute, most of it backoff; this is for a machine in trouble.
const GIVE_UP: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_millis(200);
/// How long one vendor's documents can't be had: longer than a breaker needs to open, and to let some probes through.
const OUTAGE: Duration = Duration::from_secs(6);
const BREAKER_OPEN: &str = "2s";
/// Documents are asked for again at the second listing, which comes some seconds after the first.
const DOCUMENT_RECHECK: &str = "5s";

pub(super) async fn run(args: Args, env: Environment) -> Outcome {
    let shutdown = role::signals(false)?;
    let cities = Five::start().await.map_err(Failure::internal)?;
    let mut env = env.without(&["DATABASE_URL", "DATABASE_URL_FILE", "AMQP_URL", "AMQP_URL_FILE"]);
    env = env.without(&["DOCKET_HTTP_TOKEN", "DOCKET_HTTP_TOKEN_FILE"]).without(money::SETTINGS);
    let money = Money::start(&mut env).await?;
    env.set_default("DOCKET_ALLOW_HOSTS", &cities.allowed());
    env.set_default("DOCKET_BREAKER_OPEN", BREAKER_OPEN);
    env.set_default("DOCKET_DOCUMENT_RECHECK", DOCUMENT_RECHECK);
    // A worker's log would stand between the bars.
    env.set_default("DOCKET_LOG", "error");
    let (broker, workers) = (!args.no_broker, args.workers.into());
    let spec = LocalSpec { dir: args.dir.clone(), keep: false, broker, workers, http: args.http };
    let progress = Progress::new();
    let fleet = LocalFleet::start(spec, &mut env, shutdown.clone()).await?;
    progress.places(&fleet.places());
    let client = crate::db::connect(&fleet.process.database).await?;
    let story = Story { client, cities, money, begun: Instant::now(), progress: &progress, shutdown: &shutdown };
    let worked = story.run(&config::civic(&env)?).await;
    progress.finish();
    let shown = match &worked {
        Ok(report) => show(&args, &fleet, report, &story.cities),
        Err(_) => Ok(()),
    };
    if args.stay && worked.is_ok() {
        shutdown.cancelled().await;
    }
    fleet.stop().await?;
    shown?;
    worked?.compare(&story.cities)
}

/// What happens in the five cities.
struct Story<'a> {
    client: Client,
    cities: Five,
    money: Money,
    begun: Instant,
    progress: &'a Progress,
    shutdown: &'a CancellationToken,
}

impl Story<'_> {
    /// Everything is listed and read while one vendor's documents can't be had for a while; then listed again, with what is
    /// new. What one city's budget doesn't pay for is left for tomorrow.
    async fn run(&self, settings: &CivicSettings) -> Result<Report, Failure> {
        for city in self.cities.all() {
            cities::add(&self.client, &city.city()).await.map_err(Failure::internal)?;
        }
        self.cities.outage(true);
        self.list(settings).await?;
        self.work(OUTAGE).await?;
        self.cities.outage(false);
        self.work(GIVE_UP).await?;
        self.cities.change();
        // A slot of its own: within one, a city is listed once.
        self.list(&CivicSettings { sync_every: Duration::ZERO, ..settings.clone() }).await?;
        let report = self.work(GIVE_UP).await?;
        report.finished(&self.client, self.cities.requests(), self.money.calls()).await
    }

    async fn list(&self, settings: &CivicSettings) -> Outcome {
        for city in self.cities.all() {
            enqueue_sync(&self.client, &city.city().slug, settings).await.map_err(Failure::internal)?;
        }
        Ok(())
    }

    /// Until nothing is left to do, or for so long.
    async fn work(&self, at_most: Duration) -> Result<Report, Failure> {
        let since = Instant::now();
        loop {
            let report = Report::read(&self.client, self.begun.elapsed()).await?;
            self.progress.update(&report, &self.cities.expected());
            if report.left() == 0 || since.elapsed() > at_most {
                return Ok(report);
            }
            if self.begun.elapsed() > GIVE_UP {
                return Err(Failure::internal(format!("{} jobs are still open after {GIVE_UP:?}", report.left())));
            }
            if self.shutdown.run_until_cancelled(sleep(LOOK)).await.is_none() {
                return Err(Failure::internal("stopped before the work was done"));
            }
        }
    }
}

fn show(args: &Args, fleet: &LocalFleet, report: &Report, cities: &Five) -> Outcome {
    if args.json {
        return output::json(report);
    }
    output::table(["what", "came out", "planned"], report.rows(cities))?;
    output::table(
        ["city", "vendor", "meetings", "cancelled", "items", "summaries", "last listing", "spent, micro-dollars"],
        report.cities.iter().map(places::CityRow::cells),
    )?;
    output::table(["job", "kind", "ended as", "attempts", "why"], report.causes.iter().map(places::Ended::cells))?;
    for (name, url) in fleet.places().iter().filter(|_| args.stay) {
        output::text(&format!("{name:<20} {url}"))?;
    }
    let hint = if args.stay { "Ctrl-C stops everything." } else { "Run it with --stay to look around afterwards." };
    output::text(hint)
}
