//! `docket topology check`: over AMQP what AMQP can tell, and the rest over the management API.

use super::{
    place::{Place, Site},
    show,
};
use crate::{
    cli::{
        exit::{Failure, Outcome},
        output,
    },
    config::{self, Environment},
    fleet::broker::{
        AmqpBroker, BrokerSettings,
        plan::{Finding, Severity},
        virtual_host,
    },
};
use secrecy::SecretString;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long it tries to connect.
const PATIENCE: Duration = Duration::from_secs(10);

const NO_API: &str = "policies, bindings, users' rights: set DOCKET_MANAGEMENT_URL to check them";
const NO_AMQP: &str = "what the fleet itself sees over AMQP: set AMQP_URL to check it";

/// What was found, by either way.
#[derive(Default)]
struct Found {
    faults: Vec<String>,
    findings: Vec<Finding>,
    unchecked: Vec<String>,
}

pub(super) async fn run(place: &Place, env: &Environment, json: bool) -> Outcome {
    let (amqp, site) = (config::amqp(env)?, place.site(env)?);
    let mut found = Found::default();
    match &amqp {
        Some(url) => over_amqp(url, place, env, &mut found).await?,
        None if site.is_none() => {
            return Err(Failure::usage("AMQP_URL: not set, nor DOCKET_MANAGEMENT_URL: name the broker"));
        }
        None => found.unchecked.push(NO_AMQP.to_owned()),
    }
    match &site {
        Some(site) => over_management(site, &mut found).await?,
        None => found.unchecked.push(NO_API.to_owned()),
    }
    tell(&found, json)
}

async fn over_amqp(url: &SecretString, place: &Place, env: &Environment, found: &mut Found) -> Outcome {
    let theirs = virtual_host(url);
    if let (Some(asked), Some(theirs)) = (&place.vhost, &theirs)
        && asked != theirs
    {
        let text = format!("--vhost {asked:?}: AMQP_URL names virtual host {theirs:?}; leave one of them out");
        return Err(Failure::usage(text));
    }
    let topology = config::fleet(env)?.topology;
    let stop = CancellationToken::new();
    let broker = AmqpBroker::start(url, BrokerSettings::default(), &stop)
        .map_err(|error| Failure::usage(format!("AMQP_URL: {error}")))?;
    let ready = broker.wait_ready(PATIENCE).await;
    let checked = match ready {
        Ok(()) => Ok(broker.check_topology(&topology).await),
        Err(error) => Err(Failure::unavailable(format!("the broker can't be reached: {error}; check AMQP_URL"))),
    };
    broker.shutdown().await;
    let faults = checked?.err().into_iter().flatten();
    found.faults.extend(faults.map(|fault| fault.to_string()));
    Ok(())
}

async fn over_management(site: &Site, found: &mut Found) -> Outcome {
    let (_, plan) = site.plan().await?;
    found.faults.extend(plan.steps.iter().map(|step| format!("not done yet: {step}: docket topology apply")));
    found.unchecked.extend(show::unchecked(site, &plan));
    found.findings = plan.findings;
    Ok(())
}

fn tell(found: &Found, json: bool) -> Outcome {
    let faults = found.faults.len() + found.findings.iter().filter(|f| f.severity == Severity::Fault).count();
    if json {
        let Found { faults, findings, unchecked } = found;
        output::json(&json!({"faults": faults, "findings": findings, "unchecked": unchecked}))?;
    } else {
        show::section("missing or wrong", found.faults.iter())?;
        show::findings(&found.findings)?;
        show::section("not checked", found.unchecked.iter())?;
    }
    match faults {
        0 if json => Ok(()),
        0 => show::line("what was checked is as Docket needs it"),
        1 => Err(Failure::usage("the topology has a fault")),
        many => Err(Failure::usage(format!("the topology has {many} faults"))),
    }
}
