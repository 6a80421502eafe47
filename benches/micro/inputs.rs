//! What both benches work on, so that a time of one and a count of the other are of the same work.

use docket::{
    fleet::{
        job::{Band, Envelope, JobId, MessageId, Pointer},
        ports::{Dispatch, Outgoing, Picked},
    },
    telemetry::{AttemptLine, AttemptOutcome, LogFormat, LogSettings, sample_successes, subscriber},
};
use std::time::Duration;
use uuid::Uuid;

/// A ledger that has been at work for a while: numbers of eight digits.
const FIRST_JOB: i64 = 41_500_000;
const MESSAGE: MessageId = MessageId(39_000_000);
const TRACE: Uuid = Uuid::from_u128(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);

fn pointers(count: usize) -> impl Iterator<Item = Pointer> {
    (FIRST_JOB..).zip([2, 2, 2, 4].into_iter().cycle()).map(|(id, epoch)| Pointer(JobId(id), epoch)).take(count)
}

/// A message's content.
pub(crate) fn envelope(count: usize) -> Envelope {
    Envelope::new(MESSAGE, pointers(count).collect())
}

/// The same as bytes.
pub(crate) fn body(count: usize) -> Vec<u8> {
    envelope(count).encode()
}

/// Jobs of one message, as a scheduler hands them to the broker.
pub(crate) fn outgoing(count: usize) -> Outgoing {
    let picked = |pointer| Picked { pointer, priority: 100, failures: 0, max_attempts: 3, trace_id: Some(TRACE) };
    let (lane, kind) = ("default".to_owned(), "fetch_document".to_owned());
    let jobs = pointers(count).map(picked).collect();
    Outgoing::Jobs(Dispatch { message: MESSAGE, lane, band: Band::Normal, kind, jobs })
}

/// An attempt that went well: nothing in its line is secret.
pub(crate) const COMPLETED: AttemptLine<'_> = AttemptLine {
    outcome: AttemptOutcome::Completed,
    job_id: FIRST_JOB,
    kind: "fetch_document",
    attempt: 1,
    duration: Duration::from_millis(310),
    wait: Duration::from_millis(24),
    trace_id: Some(TRACE),
    error: None,
};

/// An attempt whose error names a URL with a password.
pub(crate) const RETRIED: AttemptLine<'_> = AttemptLine {
    outcome: AttemptOutcome::Retried,
    error: Some(("network", "can't reach https://reader:hunter2@archive.test/agenda?access_token=abc&page=2 in 30 s")),
    ..COMPLETED
};

/// The layers of a role that writes JSON, down to the writer, which keeps nothing.
pub(crate) fn json_log() -> tracing::Dispatch {
    sample_successes(u32::MAX);
    let settings = LogSettings { format: LogFormat::Json, ..LogSettings::default() };
    tracing::Dispatch::new(subscriber(&settings, std::io::sink).expect("no filter of ours"))
}
