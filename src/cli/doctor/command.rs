//! The command.

use super::{super::exit::Outcome, collect::collect, facts::Role, judge::judge, report::report};
use crate::config::Environment;
use clap::Parser;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket doctor --role worker\n\
                        It changes nothing. Exit codes: 0 all is well, or there are notes only; 64 something is to be \
                        mended here; 69 a service is away. docs/DOCTOR.md tells about each check.")]
pub(in crate::cli) struct Args {
    /// What runs here; all roles unless named, separated by commas
    #[arg(long, value_name = "ROLE", value_delimiter = ',')]
    role: Vec<Role>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// Collects, judges, tells.
pub(in crate::cli) async fn run(args: Args, env: &Environment) -> Outcome {
    let roles = if args.role.is_empty() { Role::ALL.to_vec() } else { args.role };
    let facts = Box::pin(collect(env, roles)).await;
    report(&judge(&facts), args.json)
}
