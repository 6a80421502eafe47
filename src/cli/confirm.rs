//! Asking before much is changed.

use super::exit::{Failure, Outcome};
use std::io::{IsTerminal, Write};

/// Refuses early when nobody could be asked.
pub(super) fn possible(yes: bool) -> Outcome {
    if yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage("there is no terminal to ask for confirmation: say --yes"))
}

/// Asks on standard error, unless `yes`. Anything but a yes ends the command.
pub(super) fn confirm(question: &str, yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    let mut stderr = std::io::stderr();
    let mut answer = String::new();
    write!(stderr, "{question} [y/N] ")
        .and_then(|()| stderr.flush())
        .and_then(|()| std::io::stdin().read_line(&mut answer))
        .map_err(|e| Failure::internal(format!("can't ask for confirmation: {e}")))?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::usage("nothing was changed"))
}
