//! The command.

use super::{super::exit::Outcome, collect::collect, facts::Role, judge::judge, report::report};
use crate::config::{ConfigError, Environment};
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
    /// What the configuration was refused for
    #[arg(skip)]
    refused: Vec<ConfigError>,
}

impl Args {
    /// With what the configuration was refused for: that is a finding, and no reason not to look.
    pub(in crate::cli) fn refused(self, refused: Vec<ConfigError>) -> Self {
        Self { refused, ..self }
    }
}

/// Collects, judges, tells.
pub(in crate::cli) async fn run(args: Args, env: &Environment) -> Outcome {
    let roles = if args.role.is_empty() { Role::ALL.to_vec() } else { args.role };
    let facts = Box::pin(collect(env, roles, args.refused)).await;
    report(&judge(&facts), args.json)
}
