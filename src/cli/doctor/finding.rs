//! What a check found.

use super::check::Check;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing has to be done.
    Note,
    /// Works, and will hurt one day.
    Warning,
    /// Doesn't work.
    Fault,
}

impl Level {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// What a check found. No text holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) level: Level,
    /// What was seen.
    pub(super) seen: String,
    /// What to do; none when all is well.
    pub(super) fix: Option<String>,
    /// A service is away: nothing here is to be changed, and waiting may help.
    #[serde(skip)]
    pub(super) is_away: bool,
}

impl Finding {
    pub(super) fn ok(check: Check, seen: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, seen: seen.into(), fix: None, is_away: false }
    }

    pub(super) fn note(check: Check, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Note, fix: Some(fix.into()), ..Self::ok(check, seen) }
    }

    pub(super) fn warning(check: Check, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Warning, fix: Some(fix.into()), ..Self::ok(check, seen) }
    }

    pub(super) fn fault(check: Check, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Fault, fix: Some(fix.into()), ..Self::ok(check, seen) }
    }

    /// The same, of a service that is away or in trouble.
    pub(super) fn away(self) -> Self {
        Self { is_away: true, ..self }
    }

    /// A question that got no answer.
    pub(super) fn unknown(check: Check, why: &str) -> Self {
        let fix = "mend what kept it from being looked at, and run docket doctor again";
        Self::warning(check, format!("could not be looked at: {why}"), fix)
    }
}

/// The exit code: 0 without warnings and faults; 69 if one of them is of a service that is away; otherwise 64.
pub(super) fn exit_code(findings: &[Finding]) -> u8 {
    let bad = findings.iter().filter(|finding| finding.level >= Level::Warning);
    bad.map(|finding| if finding.is_away { 69 } else { 64 }).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides_the_exit_code() {
        let (ok, note) = (Finding::ok(Check::Schema, "3"), Finding::note(Check::Management, "not set", "set it"));
        let (warning, away) = (
            Finding::warning(Check::Tls, "plain", "use TLS"),
            Finding::fault(Check::Broker, "no answer", "start it").away(),
        );
        assert_eq!(exit_code(&[]), 0);
        assert_eq!(exit_code(&[ok.clone(), note.clone()]), 0);
        assert_eq!(exit_code(&[ok, warning.clone(), note]), 64);
        assert_eq!(exit_code(&[away, warning]), 69);
    }
}
