//! A plan in words. Names of other people's objects are made harmless.

use super::place::Site;
use crate::{
    cli::{
        exit::{Failure, Outcome},
        output,
    },
    fleet::broker::{
        management::Observed,
        plan::{Finding, Plan, Severity},
    },
};
use serde_json::{Value, json};

pub(super) fn plan(site: &Site, observed: &Observed, plan: &Plan) -> Outcome {
    let overview = &observed.overview;
    line(&format!(
        "RabbitMQ {} at {}, virtual host {:?}",
        overview.rabbitmq_version,
        site.management.at(),
        site.vhost
    ))?;
    section("to do", plan.steps.iter())?;
    section("left over", plan.leftovers.iter())?;
    findings(&plan.findings)?;
    section("not checked", unchecked(site, plan).iter())?;
    if plan.steps.is_empty() && plan.findings.is_empty() {
        return line("nothing to do");
    }
    Ok(())
}

/// Faults and warnings, each with its fix.
pub(super) fn findings(findings: &[Finding]) -> Outcome {
    for (title, severity) in [("faults", Severity::Fault), ("warnings", Severity::Warning)] {
        section(title, findings.iter().filter(|finding| finding.severity == severity))?;
    }
    Ok(())
}

/// What could not be looked at, with what would help.
pub(super) fn unchecked(site: &Site, plan: &Plan) -> Vec<String> {
    let unread = plan.unread.iter().map(|unread| format!("{}: {}", unread.what, unread.why));
    unread.chain(site.unasked().map(str::to_owned)).collect()
}

pub(super) fn plan_json(site: &Site, observed: &Observed, plan: &Plan) -> Value {
    let mut value = plan.to_json();
    value["broker"] = json!({"version": observed.overview.rabbitmq_version, "node": observed.overview.node});
    value["vhost"] = json!(site.vhost);
    value["unchecked"] = json!(unchecked(site, plan));
    value
}

/// 64 if something is left that no step mends.
pub(super) fn verdict(plan: &Plan) -> Outcome {
    match plan.faults().count() {
        0 => Ok(()),
        1 => Err(Failure::usage("1 fault that docket topology apply can't mend")),
        many => Err(Failure::usage(format!("{many} faults that docket topology apply can't mend"))),
    }
}

pub(super) fn section(title: &str, entries: impl Iterator<Item = impl ToString>) -> Outcome {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return Ok(());
    }
    line(&format!("{title}:"))?;
    entries.try_for_each(|entry| line(&format!("  {}", entry.to_string())))
}

/// One line, whatever it holds.
pub(super) fn line(text: &str) -> Outcome {
    output::text(&output::harmless(text).replace('\n', "\u{fffd}"))
}
