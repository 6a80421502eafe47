//! The audit that goes on, and the one on demand.

use super::{
    judge::{judge, orphaned},
    look::{Look, look},
    verdict::{Class, Verdict},
};
use crate::{
    db::{Pool, describe},
    fleet::{
        ledger::{audit, locked_session},
        ports::Broker,
        settings::Protocol,
    },
    telemetry::{names::UNACCOUNTED, withdraw},
};
use metrics::{Label, gauge};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, Error, GenericClient};
use tokio_util::sync::CancellationToken;

/// What an audit needs to know.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// Lanes of the configuration; others are looked at when they have jobs.
    pub lanes: Vec<String>,
    /// Between two looks. At least a lease, and longer than a worker keeps a message that it has no slot for.
    pub interval: Duration,
    /// Losses that make a suspect: it waits for a worker of its own, and nobody passes it over.
    pub suspect_losses: i16,
}

impl AuditSettings {
    /// As a fleet's protocol has it.
    #[must_use]
    pub fn new(lanes: Vec<String>, protocol: &Protocol) -> Self {
        let interval = protocol.audit.max(protocol.lease).max(protocol.hand_back);
        Self { lanes, interval, suspect_losses: protocol.suspect_losses }
    }
}

/// One look asks every band, each with a deadline of its own; a look that takes longer is given up.
const DEADLINE: Duration = Duration::from_mins(2);
const NO_ANSWER: &str = "a look took too long";
/// Parents that one turn counts again.
const RECOUNTS: usize = 100;

/// Audits until `shutdown`, keeps each verdict in the ledger and exports it as a gauge.
///
/// While another process does, it waits to take over and exports nothing. The owner keeps one connection for itself; its
/// pool is the engine's kind, so that a backlog is read in the order of its index and not sorted.
pub async fn watch<B: Broker>(pool: Pool, broker: B, settings: AuditSettings, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Some(Err(reason)) = shutdown.run_until_cancelled(own(&pool, &broker, &settings)).await {
            tracing::warn!(event = "audit.stopped", error = reason, "nothing is audited for now");
        }
        Class::ALL.iter().for_each(|class| withdraw(UNACCOUNTED, vec![Label::new("class", class.as_str())]));
        shutdown.run_until_cancelled(sleep(settings.interval)).await;
    }
}

/// Returns when another process audits, or the database fails.
async fn own<B: Broker>(pool: &Pool, broker: &B, settings: &AuditSettings) -> Result<(), String> {
    let Some(mut connection) = locked_session(pool, audit::LOCK, DEADLINE).await? else { return Ok(()) };
    let (mut before, mut told): (Option<Look>, _) = (None, 0);
    loop {
        let turn = turn(&mut connection, broker, settings, before.as_ref());
        let (now, verdict) = timeout(DEADLINE, turn).await.map_err(|_| NO_ANSWER)?.map_err(|e| describe(&e))?;
        before = Some(now);
        if let Some(verdict) = verdict {
            export(&verdict);
            tell(&verdict, &mut told);
        }
        sleep(settings.interval).await;
    }
}

async fn turn<B: Broker>(
    client: &mut Client,
    broker: &B,
    settings: &AuditSettings,
    before: Option<&Look>,
) -> Result<(Look, Option<Verdict>), Error> {
    let now = look(client, broker, settings, before).await?;
    let Some(before) = before else { return Ok((now, None)) };
    let verdict = judge(before, &now);
    for parent in orphaned(before, &now).into_iter().take(RECOUNTS) {
        if audit::recount(client, parent).await? {
            tracing::warn!(
                event = "audit.recounted",
                job.id = parent.id().0,
                "a waiting parent's children were counted again"
            );
        }
    }
    audit::keep(client, &serde_json::to_value(&verdict).unwrap_or_default()).await?;
    Ok((now, Some(verdict)))
}

fn export(verdict: &Verdict) {
    for class in Class::ALL {
        #[expect(clippy::cast_precision_loss, reason = "gauges are floating point; counts stay far below 2^53")]
        gauge!(UNACCOUNTED, "class" => class.as_str()).set(verdict.count(class) as f64);
    }
}

/// A change is news, what stays is in the gauge.
fn tell(verdict: &Verdict, told: &mut u64) {
    let jobs = verdict.unaccounted();
    if jobs == *told {
        return;
    }
    *told = jobs;
    if jobs == 0 {
        tracing::info!(event = "audit.accounted", checked = verdict.checked_jobs, "every job is accounted for again");
    } else {
        let classes: Vec<String> = found(verdict).map(|class| format!("{class:?}={}", verdict.count(class))).collect();
        tracing::warn!(
            event = "audit.unaccounted",
            jobs,
            classes = classes.join(" "),
            "jobs are not where the ledger says; docket audit tells what heals them"
        );
    }
}

fn found(verdict: &Verdict) -> impl Iterator<Item = Class> {
    Class::ALL.into_iter().filter(|class| verdict.count(*class) > 0)
}

/// The verdict of the fleet's own audit, with its age; none if it has not judged within `fresh`.
///
/// # Errors
/// When the database fails.
pub async fn verdict<C: GenericClient + Sync>(client: &C, fresh: Duration) -> Result<Option<Verdict>, Error> {
    let Some((kept, age)) = audit::kept(client).await? else { return Ok(None) };
    let age = Duration::try_from_secs_f64(age).unwrap_or_default();
    // What a newer version wrote may not be readable; it is not fresh then.
    let verdict = serde_json::from_value::<Verdict>(kept).ok().filter(|_| age <= fresh);
    Ok(verdict.map(|verdict| Verdict { checked_seconds_ago: age.as_secs(), ..verdict }))
}

/// A verdict of the caller's own looks: three of them, an interval apart. It changes nothing and keeps nothing.
///
/// # Errors
/// When the database fails.
pub async fn once<B: Broker>(client: &Client, broker: &B, settings: &AuditSettings) -> Result<Verdict, Error> {
    // The first look says what is old at the second.
    let first = look(client, broker, settings, None).await?;
    sleep(settings.interval).await;
    let second = look(client, broker, settings, Some(&first)).await?;
    sleep(settings.interval).await;
    let third = look(client, broker, settings, Some(&second)).await?;
    Ok(judge(&second, &third))
}
