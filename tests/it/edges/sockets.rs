//! A thousand clients that say almost nothing, and a storm of scrapes: probes are still answered.

use super::process::Process;
use crate::{broker::support::until, support::TestDb};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep},
};

const CLIENTS: usize = 1_000;
/// Connections that a server takes by default.
const PLACES: usize = 256;

/// Half a request, a byte now and then, and once more from the start when it is cut.
async fn drip(addr: SocketAddr) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(addr).await {
            let mut wrote = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ").await;
            while wrote.is_ok() {
                sleep(Duration::from_millis(500)).await;
                wrote = stream.write_all(b"a").await;
            }
        }
        sleep(Duration::from_secs(5)).await;
    }
}

/// How long an answer of 200 took. A client that was cut before it could speak asks once more a moment later, as a probe
/// does.
async fn answered(server: &Process, path: &str) -> Duration {
    let started = Instant::now();
    for _ in 0..3 {
        if server.get(path).await.is_some_and(|(status, _)| status == 200) {
            return started.elapsed();
        }
        sleep(Duration::from_secs(1)).await;
    }
    panic!("{path} was not answered three times in a row");
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100 - 1]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_clients_keep_no_probe_out() {
    // This process holds the other ends.
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(hard.min(4_096)), hard).unwrap();
    let db = TestDb::migrated().await;
    let vars = [("DATABASE_URL", db.url()), ("AMQP_URL", "amqp://127.0.0.1:1")];
    let mut server = Process::start("server", &vars).await;
    let (files, rss) = (server.files(), server.rss_mib());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(drip(server.addr));
    }
    until("the places are taken", || async { server.files() >= files + PLACES - 10 }).await;
    let (mut probes, mut scrapes, mut most) = (Vec::new(), Vec::new(), 0);
    for _ in 0..100 {
        probes.push(answered(&server, "/livez").await);
        scrapes.push(answered(&server, "/metrics").await);
        most = most.max(server.files());
    }
    let (_, page) = server.get("/metrics").await.unwrap();
    let displaced = crate::support::sum(&page, "docket_http_connections_refused_total{reason=\"displaced\"}");
    assert!(displaced >= 1.0, "they had to make room for one another");
    // A displaced connection is closed a moment after its successor is there.
    assert!(most < files + PLACES + 100, "{most} files for {PLACES} connections");
    let peak = server.peak_mib();
    assert!(peak < rss + 64, "{rss} MiB became {peak}");
    clients.shutdown().await;
    assert!(server.is_alive());
    eprintln!(
        "{CLIENTS} slow clients: /livez p99 {:?}, /metrics p99 {:?}, {most} files, {rss} to {peak} MiB, {displaced} displaced",
        p99(probes),
        p99(scrapes)
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_scrapes_is_answered_or_refused_and_costs_no_memory() {
    let db = TestDb::migrated().await;
    let vars = [("DATABASE_URL", db.url()), ("AMQP_URL", "amqp://127.0.0.1:1")];
    let server = std::sync::Arc::new(Process::start("server", &vars).await);
    let (rss, mut storm) = (server.rss_mib(), JoinSet::new());
    for _ in 0..CLIENTS {
        let server = server.clone();
        storm.spawn(async move {
            let started = Instant::now();
            (server.get("/metrics").await.map(|(status, _)| status), started.elapsed())
        });
    }
    let answers = storm.join_all().await;
    let count = |wanted| answers.iter().filter(|(status, _)| *status == wanted).count();
    let (fine, refused, cut) = (count(Some(200)), count(Some(503)), count(None));
    // A scraper that is displaced before it has spoken sees a closed connection.
    assert_eq!(fine + refused + cut, CLIENTS, "nothing else");
    assert!(fine >= PLACES, "{fine} answered, {refused} refused, {cut} cut");
    let peak = server.peak_mib();
    assert!(peak < rss + 64, "{rss} MiB became {peak}");
    let times = answers.iter().filter(|(status, _)| *status == Some(200)).map(|(_, took)| *took).collect();
    let took = p99(times);
    eprintln!(
        "{CLIENTS} scrapes at once: {fine} answered, {refused} refused, {cut} cut; p99 {took:?}; {rss} to {peak} MiB"
    );
    assert_eq!(server.get("/livez").await.map(|(status, _)| status), Some(200));
}
