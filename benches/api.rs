//! Load on POST /api/jobs and /api/jobs/bulk: a private PostgreSQL that flushes to disk, a server, and clients on
//! loopback, all on this machine. `cargo bench --bench api -- --help`

use anyhow::{Context, Result, ensure};
use clap::Parser;
use docket::{
    civic::{self, Services as Domain, settings::CivicSettings},
    db::{self, PoolOptions, PoolPurpose},
    dev::{Services, ServicesSpec},
    fleet::gate::{Gate, Kinds, MaxPending},
    http::{Health, HttpSettings, Rates, Routes, Running, api, serve},
    telemetry::Metrics,
};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Measure POST /api/jobs.
#[derive(Parser)]
struct Args {
    /// Clients, each with one connection and one request at a time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=200))]
    clients: u32,
    /// Time of a run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Runs of each kind
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    runs: u32,
    /// Clients that send bulk requests
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4))]
    bulk_clients: u32,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// Jobs of a bulk request.
const BULK: usize = 1000;

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let dir = tempfile::tempdir()?;
    let spec =
        ServicesSpec { dir: dir.path().join("state"), keep: false, postgres: true, rabbitmq: None, durable: true };
    let services = Services::start(spec).await?;
    let measured = measure(&args, services.database_url().context("PostgreSQL was asked for")?).await;
    services.stop().await;
    measured
}

async fn measure(args: &Args, url: &str) -> Result<()> {
    let config = db::parse_url(url)?;
    db::migrate(&config).await?;
    let client = db::connect(&config).await?;
    let running = server(&config).await?;
    let addr = running.addr();
    let one = request("/api/jobs", &job().to_string());
    let bulk = request("/api/jobs/bulk", &json!({"jobs": vec![job(); BULK]}).to_string());
    for (name, request, jobs, clients) in [("single", one, 1, args.clients), ("bulk", bulk, BULK, args.bulk_clients)] {
        let mut rates = Vec::new();
        for run in 1..=args.runs {
            client.batch_execute("truncate jobs; checkpoint").await?;
            let (requests, seconds) = load(addr, &request, clients, Duration::from_secs(args.seconds)).await?;
            let rows: i64 = client.query_one("select count(*) from jobs", &[]).await?.get(0);
            ensure!(rows.unsigned_abs() == requests * jobs as u64, "{rows} rows after {requests} requests");
            #[expect(clippy::cast_precision_loss, reason = "numbers for people, far below 2^53")]
            let rate = (requests * jobs as u64) as f64 / seconds;
            println!(
                "{}",
                json!({"run": run, "kind": name, "clients": clients, "requests": requests, "jobs_per_second": rate.round()})
            );
            rates.push(rate);
        }
        rates.sort_by(f64::total_cmp);
        println!(
            "{name}: median {:.0} jobs/s, {:.0} to {:.0}",
            rates[rates.len() / 2],
            rates[0],
            rates[rates.len() - 1]
        );
    }
    Ok(())
}

async fn server(config: &tokio_postgres::Config) -> Result<Running> {
    let pool = db::pool(config, PoolOptions::new(PoolPurpose::General, 4));
    let domain = Domain::new(pool.clone(), CivicSettings::default())?;
    let kinds = Kinds::of(&civic::handlers(Arc::new(domain)));
    // Counting is part of what is measured; the limit is not.
    let limits = MaxPending { default: 1_999_999, ..MaxPending::default() };
    let api = api::Api::new(api::Database::new(pool), Gate::start(config, kinds, limits), &[]);
    let rates =
        Rates { requests: 1_000_000, requests_burst: 1_000_000, bulk_jobs: 10_000_000, bulk_jobs_burst: 10_000_000 };
    let routes = Routes { metrics: Metrics::install()?, health: Health::new(), api: Some(api::router(api)) };
    Ok(serve(HttpSettings { rates, ..HttpSettings::default() }, routes, CancellationToken::new()).await?)
}

/// Arguments of some 200 bytes: what a job of the domain has.
fn job() -> serde_json::Value {
    json!({"kind": "sync_city", "args": {"city": "seattle-wa", "slot": 1, "text": "x".repeat(160)}})
}

fn request(path: &str, body: &str) -> Arc<str> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// Requests that were answered, and how long it took.
async fn load(addr: SocketAddr, request: &Arc<str>, clients: u32, time: Duration) -> Result<(u64, f64)> {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..clients {
        let request = request.clone();
        all.spawn(async move {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            let (mut stream, mut done) = (BufReader::new(stream), 0);
            while begun.elapsed() < time {
                ask(&mut stream, &request).await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    let mut requests = 0;
    while let Some(done) = all.join_next().await {
        requests += done??;
    }
    Ok((requests, begun.elapsed().as_secs_f64()))
}

/// One request, one answer: it must be a success.
async fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> Result<()> {
    stream.write_all(request.as_bytes()).await?;
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        ensure!(stream.read_line(&mut head).await? > 0, "the server hung up: {head}");
        let line = head[start..].trim_end();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    ensure!(head.starts_with("HTTP/1.1 20"), "{head}{}", String::from_utf8_lossy(&body));
    Ok(())
}
