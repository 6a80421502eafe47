//! `docket topology`

use super::{
    exit::{Failure, Outcome},
    output,
};
use crate::{
    config::{self, Environment},
    fleet::broker::definitions,
};
use clap::{Parser, Subcommand};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket topology export > definitions.json")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print RabbitMQ's definitions of the configured lanes; needs no broker
    #[command(after_help = "Example: DOCKET_LANES=default,slow docket topology export --vhost docket")]
    Export {
        /// Virtual host
        #[arg(long, value_name = "NAME", default_value = "/")]
        vhost: String,
    },
}

pub(super) fn run(args: &Args, env: &Environment) -> Outcome {
    let Action::Export { vhost } = &args.action;
    if vhost.is_empty() || vhost.chars().any(char::is_control) {
        return Err(Failure::usage("--vhost: a name without control characters, such as / or docket"));
    }
    let fleet = config::fleet(env)?;
    output::document(&definitions(&fleet.topology, vhost, &[]), args.json)
}
