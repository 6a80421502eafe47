//! The functions of `micro`, in instructions, which don't depend on the machine's speed or on what else it does.
//! They do depend on the compiler. `scripts/bench-micro --instructions` compares them with `instructions.txt`. All are
//! exact but the log line's, which move by one or two per cent: its fields lie in a hash map with a random seed.

#![expect(missing_docs, reason = "what gungraun's macros write")]

#[path = "micro/inputs.rs"]
mod inputs;

use docket::{
    fleet::{
        broker::Message,
        job::{Envelope, EnvelopeError},
        ports::Outgoing,
        retry::{AfterFailure, RetryPolicy},
    },
    telemetry::{AttemptLine, attempt_line},
};
use gungraun::{Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use inputs::{COMPLETED, RETRIED, body, envelope, json_log, outgoing};
use std::{hint::black_box, time::Duration};
use tracing::dispatcher::{DefaultGuard, set_default};

/// Freeing what a function works on is not part of its count.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

#[library_benchmark]
#[bench::pointers_1(kept(envelope(1)))]
#[bench::pointers_100(kept(envelope(100)))]
fn encode(envelope: &Envelope) -> Vec<u8> {
    black_box(envelope).encode()
}

#[library_benchmark]
#[bench::pointers_1(kept(body(1)))]
#[bench::pointers_100(kept(body(100)))]
fn decode(body: &[u8]) -> Result<Envelope, EnvelopeError> {
    Envelope::decode(black_box(body))
}

#[library_benchmark]
#[bench::second_failure(RetryPolicy::default())]
fn decision(policy: RetryPolicy) -> AfterFailure {
    black_box(policy).after_failure(black_box((100, 1)), true, black_box(0.3), None)
}

#[library_benchmark]
#[bench::fourth_failure(RetryPolicy::default())]
fn backoff(policy: RetryPolicy) -> Duration {
    black_box(policy).delay(black_box(4), black_box(0.3), black_box(Some(Duration::from_secs(7))))
}

#[library_benchmark]
#[bench::pointers_1(kept(outgoing(1)))]
#[bench::pointers_32(kept(outgoing(32)))]
fn jobs(outgoing: &Outgoing) -> Message {
    Message::new(black_box(outgoing)).expect("short names")
}

/// The first line asks the filter whether there shall be one, and is not the one that counts.
fn logging(line: AttemptLine<'static>) -> (DefaultGuard, AttemptLine<'static>) {
    let guard = set_default(&json_log());
    attempt_line(&line);
    (guard, line)
}

#[library_benchmark(setup = logging)]
#[bench::completed(COMPLETED)]
#[bench::retried(RETRIED)]
fn line((guard, line): (DefaultGuard, AttemptLine<'static>)) -> DefaultGuard {
    attempt_line(black_box(&line));
    guard
}

library_benchmark_group!(name = envelope, benchmarks = [encode, decode]);
library_benchmark_group!(name = retry, benchmarks = [decision, backoff]);
library_benchmark_group!(name = message, benchmarks = [jobs]);
library_benchmark_group!(name = log_line, benchmarks = [line]);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [envelope, retry, message, log_line]
);
