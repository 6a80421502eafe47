//! An attempt as a span of its job's trace.

use super::outcome::Attempt;
use crate::{
    fleet::job::Pointer,
    telemetry::{Attribute, Span, SpanKind, TraceParent},
};
use std::time::Duration;
use uuid::Uuid;

/// The attempt, for what its handler asks of others.
///
/// Its number is the job's, with the epoch in the upper 16 bits: each attempt has one of its own (the epoch, which grows with
/// each change of status, stays far below 65,536), and both can be read in it.
pub(super) fn of(trace_id: Option<Uuid>, Pointer(job, epoch): Pointer) -> Option<TraceParent> {
    const JOB: u64 = (1 << 48) - 1;
    let number = (u64::from(epoch.unsigned_abs()) << 48) | (job.0.unsigned_abs() & JOB);
    trace_id.and_then(|id| TraceParent::new(id, number))
}

/// It has ended. Names as in OpenTelemetry's conventions for messaging, which are still in development.
pub(super) fn ended(attempt: &Attempt, ran: Duration, outcome: &str, error: Option<&str>) {
    let Some(own) = of(attempt.trace_id, attempt.row()).filter(|own| Span::is_told(*own)) else { return };
    let attributes = [
        ("messaging.system", Attribute::Text("rabbitmq")),
        ("messaging.operation.type", Attribute::Text("process")),
        ("messaging.destination.name", Attribute::Text(&attempt.lane)),
        ("docket.job.id", Attribute::Number(attempt.id.0)),
        ("docket.job.kind", Attribute::Text(attempt.kind())),
        ("docket.attempt", Attribute::Number(attempt.number.into())),
        ("docket.outcome", Attribute::Text(outcome)),
        ("docket.wait_ms", Attribute::Number(attempt.waited.as_millis().try_into().unwrap_or(i64::MAX))),
    ];
    let name = format!("process {}", attempt.kind());
    // It is told when its verdict is booked, which may be much later.
    let (kind, begun) = (SpanKind::Consumer, attempt.begun);
    Span { own, parent: None, kind, name: &name, begun, took: ran, attributes: &attributes, error }.record();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::job::JobId;

    #[test]
    fn each_attempt_has_a_number_of_its_own_in_which_both_can_be_read() {
        let number = |job, epoch| of(Some(Uuid::from_u128(1)), Pointer(JobId(job), epoch)).unwrap().parent_id();
        assert_eq!(number(0x2a, 3), 0x0003_0000_0000_002a);
        assert_ne!(number(0x2a, 3), number(0x2a, 4));
        assert_eq!(of(None, Pointer(JobId(1), 1)), None);
    }
}
