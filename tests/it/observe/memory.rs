//! What is recorded costs no memory that stays.

use crate::support::metrics;
use docket::telemetry::names;
use metrics::{counter, histogram};
use std::{fs, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// A hundred times 10,000 attempts a second, a hundredth of a second at a time: two samples and a count each.
const ATTEMPTS: u32 = 10_000;
const EVERY: Duration = Duration::from_millis(10);
/// Samples wait for the exporter's upkeep, which comes every five seconds.
const SETTLES: Duration = Duration::from_secs(15);
const GROWTH_KIB: u64 = 32 << 10;

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
}

/// `DOCKET_TEST_MEMORY_SECONDS` makes it longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute: scripts/test --all"]
async fn the_exporters_memory_is_flat_at_a_hundred_times_the_rate() {
    let (metrics, shutdown) = (metrics(), CancellationToken::new());
    let upkeep = tokio::spawn(metrics.clone().upkeep(shutdown.clone()));
    let seconds = std::env::var("DOCKET_TEST_MEMORY_SECONDS").map_or(40, |text| text.parse().unwrap());
    let (begun, mut tick) = (Instant::now(), interval(EVERY));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut settled, mut later, mut attempts) = (0, 0, 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        tick.tick().await;
        for sample in 0..ATTEMPTS {
            let took = f64::from(sample) / 1000.0;
            histogram!(names::QUEUE_WAIT, "job_type" => "memory").record(took);
            histogram!(names::PROCESSING_DURATION, "job_type" => "memory").record(took);
            counter!(names::JOBS_PROCESSED, "job_type" => "memory", "status" => "completed").increment(1);
        }
        attempts += u64::from(ATTEMPTS);
        let peak = if begun.elapsed() < SETTLES { &mut settled } else { &mut later };
        *peak = resident_kib().max(*peak);
    }
    shutdown.cancel();
    upkeep.await.unwrap();
    println!("{attempts} attempts in {seconds} s; resident at most {settled} KiB, later {later} KiB");
    assert!(attempts > seconds * 100_000, "only {attempts} attempts: this machine is too slow for the rate");
    assert!(later <= settled + GROWTH_KIB, "{later} KiB after {settled} KiB");
    assert!(metrics.render().contains("docket_queue_jobs_processed_total{job_type=\"memory\""));
}
