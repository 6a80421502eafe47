//! `docket config`

use super::{
    exit::{Failure, Outcome},
    output,
};
use crate::config::{self, CommandLine, Environment, Shown};
use clap::{Parser, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket config show --changed")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show each value and where it was set; secrets are only said to be there
    #[command(after_help = "Example: docket config show --set fleet.lease=20s --changed")]
    Show {
        /// Only what somebody set
        #[arg(long)]
        changed: bool,
    },
    /// Check a file alone, without this process's variables: every problem with its line
    #[command(after_help = "Example: docket config check /etc/docket/docket.toml")]
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print all settings as Markdown: docs/CONFIGURATION.md
    #[command(after_help = "Example: docket config reference > docs/CONFIGURATION.md")]
    Reference,
}

pub(super) fn run(args: Args, line: &CommandLine) -> Outcome {
    match args.action {
        Action::Show { changed } => show(line, changed, args.json),
        Action::Check { file } => check(&file, args.json),
        Action::Reference if args.json => output::json(&json!({ "markdown": config::reference() })),
        Action::Reference => output::text(config::reference().trim_end()),
    }
}

fn show(line: &CommandLine, changed: bool, json: bool) -> Outcome {
    let env = config::load(Environment::of_process(), line)?;
    let mut all = config::show(&env);
    all.retain(|shown| shown.changed || !changed);
    if json {
        return output::json(&json!({ "settings": all }));
    }
    if all.is_empty() {
        return output::text("nothing is set: all values are defaults");
    }
    let row = |Shown { key, value, origin, .. }: Shown| [key.to_owned(), value.unwrap_or_default(), origin];
    output::table(["setting", "value", "set by"], all.into_iter().map(row))
}

fn check(file: &Path, json: bool) -> Outcome {
    let problems = match config::check_file(file) {
        Ok(()) => Vec::new(),
        Err(problems) => problems.0,
    };
    if json {
        let list: Vec<_> = problems.iter().map(|p| json!({ "where": p.name, "problem": p.problem })).collect();
        output::json(&json!({ "file": file, "problems": list }))?;
    }
    match (problems.is_empty(), json) {
        (true, true) => Ok(()),
        (true, false) => output::text(&format!("{}: nothing is wrong", file.display())),
        (false, _) => Err(Failure::usage(config::Problems(problems))),
    }
}
