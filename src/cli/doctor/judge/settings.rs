//! The configuration.

use super::super::{check::Check, facts::Settings, finding::Finding};
use crate::config::ConfigError;

pub(super) fn judge(settings: &Settings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = settings.errors.iter().map(of_error).collect();
    if !findings.iter().any(|finding| finding.check == Check::Configuration) {
        findings.push(Finding::ok(Check::Configuration, "every setting can be used"));
    }
    if !findings.iter().any(|finding| finding.check == Check::Lease) {
        findings.push(lease(settings));
    }
    findings.push(tls(settings));
    findings.push(prices(settings));
    findings
}

/// A setting that a role would refuse to start with. Its text says what would be right, and holds no secret.
fn of_error(error: &ConfigError) -> Finding {
    let is_about = |names: [&str; 2]| names.iter().any(|name| error.name.contains(name));
    let check = if is_about(["DOCKET_LEASE", "DOCKET_HEARTBEAT"]) {
        Check::Lease
    } else if is_about(["DOCKET_CONSUMER_TIMEOUT", "DOCKET_HAND_BACK"]) {
        Check::ConsumerTimeout
    } else {
        Check::Configuration
    };
    Finding::fault(check, error.to_string(), format!("set {} as this says; no role starts before", error.name))
}

fn lease(settings: &Settings) -> Finding {
    let protocol = &settings.protocol;
    let seen = format!(
        "lease {:?}, heartbeat {:?}, deadline of a statement {:?}",
        protocol.lease, protocol.heartbeat, protocol.statement
    );
    if protocol.statement >= protocol.lease {
        let fix = "set DOCKET_STATEMENT below DOCKET_LEASE: a statement that hangs would cost a worker its lease";
        return Finding::warning(Check::Lease, seen, fix);
    }
    Finding::ok(Check::Lease, seen)
}

fn tls(settings: &Settings) -> Finding {
    if settings.unencrypted.is_empty() {
        return Finding::ok(Check::Tls, "no unencrypted connection leaves this machine");
    }
    let urls: Vec<String> = settings.unencrypted.iter().map(|(name, host)| format!("{name} to {host}")).collect();
    Finding::warning(
        Check::Tls,
        format!("passwords and jobs travel in the clear: {}", urls.join(", ")),
        "use amqps://, https://, and ?sslmode=require for the database",
    )
}

/// Prices change without a word: one that nobody has looked at for a year is a guess.
const OLD_DAYS: i32 = 365;

fn prices(settings: &Settings) -> Finding {
    let named = |is_meant: fn(Option<i32>) -> bool| {
        let meant = settings.models.iter().filter(|(_, age)| is_meant(*age));
        meant.map(|(model, _)| model.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (missing, old) = (named(|age| age.is_none()), named(|age| age.is_some_and(|days| days > OLD_DAYS)));
    if !missing.is_empty() {
        let fix =
            "add a row to the file that civic.prices_file names (0 for a server of your own); no worker starts before";
        return Finding::fault(Check::ModelPrices, format!("no price in force for {missing}"), fix);
    }
    if !old.is_empty() {
        let fix = "look the price up, and add a row with its day and source, also if it is the same";
        return Finding::warning(Check::ModelPrices, format!("the price of {old} is older than a year"), fix);
    }
    match settings.models.len() {
        0 => Finding::ok(Check::ModelPrices, "no model is paid for"),
        n => Finding::ok(Check::ModelPrices, format!("{n} models have prices of the last year")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::{cli::doctor::finding::Level, config::ConfigError};
    use std::time::Duration;

    fn one(settings: &Settings, check: Check) -> Finding {
        judge(settings).into_iter().find(|finding| finding.check == check).expect("every check is looked at")
    }

    #[test]
    fn a_setting_that_a_role_refuses_is_a_fault_of_its_check() {
        let mut settings = healthy::settings();
        let error = |name: &str| ConfigError { name: name.to_owned(), problem: "is wrong".to_owned() };
        settings.errors = vec![error("DOCKET_LANES"), error("DOCKET_LEASE")];
        let findings = judge(&settings);
        assert_eq!(findings.iter().filter(|finding| finding.level == Level::Fault).count(), 2, "{findings:?}");
        let lease = one(&settings, Check::Lease);
        assert!(lease.seen.contains("is wrong") && lease.fix.is_some_and(|fix| fix.contains("DOCKET_LEASE")));
    }

    #[test]
    fn a_statement_must_not_outlast_the_lease() {
        let mut settings = healthy::settings();
        settings.protocol.statement = settings.protocol.lease;
        assert_eq!(one(&settings, Check::Lease).level, Level::Warning);
        settings.protocol.statement = settings.protocol.lease - Duration::from_millis(1);
        assert_eq!(one(&settings, Check::Lease).level, Level::Ok);
    }

    #[test]
    fn a_model_needs_a_price_that_somebody_has_looked_at() {
        let mut settings = healthy::settings();
        for (age, level) in
            [(Some(365), Level::Ok), (Some(366), Level::Warning), (None, Level::Fault), (Some(-1), Level::Ok)]
        {
            settings.models = vec![("small".to_owned(), Some(1)), ("large".to_owned(), age)];
            let finding = one(&settings, Check::ModelPrices);
            assert_eq!(finding.level, level, "{age:?}");
            assert!(level == Level::Ok || finding.seen.contains("large") && !finding.seen.contains("small"));
        }
        settings.models.clear();
        assert_eq!(one(&settings, Check::ModelPrices).level, Level::Ok);
    }

    #[test]
    fn plain_connections_are_named() {
        let mut settings = healthy::settings();
        settings.unencrypted = vec![("AMQP_URL", "broker.example".to_owned())];
        let finding = one(&settings, Check::Tls);
        assert!(finding.level == Level::Warning && finding.seen.contains("AMQP_URL to broker.example"), "{finding:?}");
    }
}
