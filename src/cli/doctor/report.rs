//! Findings, for people and for programs.

use super::{
    super::{
        exit::{Failure, Outcome},
        output,
    },
    finding::{Finding, Level, exit_code},
};
use serde_json::{Value, json};

/// Prints all findings; the outcome is the worst of them.
pub(super) fn report(findings: &[Finding], as_json: bool) -> Outcome {
    let code = exit_code(findings);
    if as_json {
        output::json(&document(findings, code))?;
    } else {
        output::text(&text(findings))?;
    }
    let bad: Vec<&str> =
        findings.iter().filter(|finding| finding.level >= Level::Warning).map(|finding| finding.check.id()).collect();
    let told = format!("to be mended: {}", bad.join(", "));
    match code {
        0 => Ok(()),
        69 => Err(Failure::unavailable(told)),
        _ => Err(Failure::usage(told)),
    }
}

fn document(findings: &[Finding], code: u8) -> Value {
    let entry = |finding: &Finding| {
        let mut entry = json!(finding);
        entry["link"] = json!(finding.check.link());
        entry
    };
    json!({"exit_code": code, "findings": findings.iter().map(entry).collect::<Vec<_>>()})
}

/// The worst last: that is what stands above the prompt.
fn text(findings: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.level);
    let mut lines = Vec::new();
    for finding in sorted {
        lines.push(format!("{:<8} {:<20} {}", finding.level.as_str(), finding.check.id(), plain(&finding.seen)));
        if let Some(fix) = &finding.fix {
            lines.push(format!("{:<8} {:<20} {}", "", "", plain(fix)));
            lines.push(format!("{:<8} {:<20} {}", "", "", finding.check.link()));
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let counts = [Level::Ok, Level::Note, Level::Warning, Level::Fault].map(|level| (count(level), level.as_str()));
    let counts: Vec<String> = counts.iter().map(|(count, level)| format!("{count} {level}")).collect();
    lines.push(counts.join(", "));
    lines.join("\n")
}

/// Servers quote what strangers sent: no control character reaches a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::check::Check, *};

    fn findings() -> Vec<Finding> {
        vec![
            Finding::fault(Check::Schema, "version 2\n\u{1b}[31m", "run docket migrate up"),
            Finding::ok(Check::Database, "answers"),
        ]
    }

    #[test]
    fn people_read_the_worst_last_with_fix_and_link() {
        let text = text(&findings());
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[0].starts_with("ok") && lines[1].starts_with("fault    schema"), "{text}");
        assert_eq!(lines[2..], ["run docket migrate up", "docs/DOCTOR.md#schema", "1 ok, 0 note, 0 warning, 1 fault"]);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn programs_get_every_field() {
        let document = document(&findings(), 64);
        assert_eq!(document["exit_code"], 64);
        assert_eq!(
            document["findings"][0],
            json!({"check": "schema", "level": "fault", "seen": "version 2\n\u{1b}[31m", "fix": "run docket migrate up",
                "link": "docs/DOCTOR.md#schema"})
        );
        assert_eq!(document["findings"][1]["fix"], Value::Null);
    }
}
