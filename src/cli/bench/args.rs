//! The command line of `docket bench`.

use crate::{
    config,
    dev::bench::{BenchSpec, Scenario},
};
use clap::Parser;
use std::{path::PathBuf, time::Duration};

/// No scenario is measured for longer, or for less than what can be told from noise.
const TIMES: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  docket bench                                          all scenarios that take seconds
  docket bench --scenario drain --jobs 1000000 --workers 2 --baseline
  docket bench --scenario latency --scenario urgent --duration 1m --json
  docket bench --scenario backlog --jobs 10000000       takes 10 GB of disk, and some minutes
  docket bench --scenario documents --files agendas/    the folder's PDFs, and 500 made-up ones
  docket bench --scenario city --jobs 1000              1,000 meetings with 20,000 items

On private servers, whatever DATABASE_URL says, unless --external is given. The protocol's variables are read, as in \
`DOCKET_POINTERS_MAX=8 docket bench`.
A table that was filled for `urgent` or `backlog` is vacuumed and analyzed before the fleet starts, as autovacuum would \
have done by then.")]
pub(in crate::cli) struct Args {
    /// What to measure; may be given more than once [default: all but backlog, documents, city and summaries]
    #[arg(long, value_name = "NAME", value_enum)]
    scenario: Vec<Scenario>,
    /// Jobs [default: 20000; urgent: 1000000 that wait; backlog: 10000000 beside the measured ones; sleep: what the slots
    /// can do in the time; documents: 500 files; city: 1000 meetings]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    jobs: Option<u32>,
    /// Workers, each with connections of its own, in this process
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    workers: u32,
    /// Jobs at once, each worker; `documents` takes at most four a processor
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    slots: u32,
    /// Lanes over which the jobs are spread: `default`, `bench-2`, `bench-3` and so on. An external broker must have them
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    lanes: u32,
    /// How long jobs come in `mixed`, `latency` and `urgent`, and how long `sleep` may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    duration: Duration,
    /// How long a job sleeps; 0: it ends at once [default: 0; sleep: 100; urgent: 50]
    #[arg(long, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    job_ms: Option<u64>,
    /// The same seed makes the same jobs at the same distances
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// After `drain` the same with one job a message, for comparison
    #[arg(long)]
    baseline: bool,
    /// Without metrics: what they cost is the difference. Log lines cost nothing unless `DOCKET_LOG` asks for them
    #[arg(long)]
    pub(super) bare: bool,
    /// Folder of further PDFs for `documents`
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Measure the servers that the environment names, in a database that holds no job
    #[arg(long)]
    pub(super) external: bool,
    /// Print one line of JSON for each scenario, as soon as it is measured
    #[arg(long)]
    pub(super) json: bool,
    /// State directory of the private servers
    #[arg(long, value_name = "DIR", default_value = ".docket/bench")]
    pub(super) dir: PathBuf,
}

impl Args {
    /// What to measure, in this order.
    pub(super) fn scenarios(&self) -> &[Scenario] {
        if self.scenario.is_empty() { Scenario::USUAL } else { &self.scenario }
    }

    /// How.
    pub(super) fn spec(&self) -> BenchSpec {
        BenchSpec {
            jobs: self.jobs,
            workers: self.workers,
            slots: self.slots,
            lanes: self.lanes,
            work: self.job_ms.map(Duration::from_millis),
            time: self.duration,
            seed: self.seed,
            baseline: self.baseline,
            files: self.files.clone(),
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let time = config::duration(text).ok_or("write a number and its unit, such as 500ms, 30s or 5m")?;
    if TIMES.contains(&time) { Ok(time) } else { Err("from 100ms to 1h".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_usual() {
        let args = Args::try_parse_from(["bench"]).unwrap();
        assert_eq!(args.scenarios(), Scenario::USUAL);
        let spec = args.spec();
        assert_eq!((spec.jobs, spec.work, spec.time, spec.baseline), (None, None, Duration::from_secs(10), false));
    }

    #[test]
    fn times_are_for_people_and_bounded() {
        let time = |text: &str| Args::try_parse_from(["bench", "--duration", text]).map(|args| args.duration);
        assert_eq!(time("1m").unwrap(), Duration::from_mins(1));
        for bad in ["10", "99ms", "2h", "soon", ""] {
            assert!(time(bad).unwrap_err().to_string().contains("--duration"), "{bad}");
        }
    }

    #[test]
    fn scenarios_are_named_as_in_reports() {
        for scenario in Scenario::ALL {
            let args = Args::try_parse_from(["bench", "--scenario", scenario.as_str()]).unwrap();
            assert_eq!(args.scenarios(), [scenario]);
        }
    }
}
