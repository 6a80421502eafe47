//! All checks.

use super::{
    super::{check::Check, facts::Facts, finding::Finding},
    broker, courtesy, database, machine, management, server, settings,
};

/// What is to be said of these facts, in the order of the checks.
pub(in crate::cli::doctor) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = settings::judge(&facts.settings);
    findings.extend(courtesy::judge(&facts.settings, facts.database.answers()));
    findings.extend(database::judge(&facts.database));
    findings.extend(facts.database.answers().into_iter().flat_map(server::judge));
    findings.extend(broker::judge(&facts.broker, &facts.settings, facts.management.answers().is_some()));
    findings.extend(management::judge(facts));
    findings.extend(machine::judge(&facts.machine, &facts.settings, &facts.roles));
    let place = |check: Check| Check::ALL.iter().position(|known| *known == check);
    findings.sort_by_key(|finding| place(finding.check));
    findings
}

#[cfg(test)]
mod tests {
    use super::{super::healthy::facts, *};
    use crate::cli::doctor::finding::{Level, exit_code};

    #[test]
    fn a_healthy_set_up_has_every_check_and_no_fault() {
        let findings = judge(&facts());
        let bad: Vec<_> = findings.iter().filter(|finding| finding.level != Level::Ok).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        for check in Check::ALL {
            assert!(findings.iter().any(|finding| finding.check == *check), "{} was not looked at", check.id());
        }
        assert_eq!(exit_code(&findings), 0);
    }
}
