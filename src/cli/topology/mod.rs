//! `docket topology`

mod apply;
mod check;
mod place;
mod plan;
mod show;

use super::{
    exit::{Failure, Outcome},
    output,
};
use crate::{
    config::{self, Environment},
    fleet::broker::{
        definitions,
        version::{BrokerVersion, Known, known},
    },
};
use clap::{Parser, Subcommand};
use place::Place;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket topology plan && docket topology apply\nMore: docs/TOPOLOGY.md")]
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
        /// RabbitMQ's version: 4.0 and later need a value that 3.x refuses
        #[arg(long, value_name = "VERSION", default_value = "3.10")]
        broker: BrokerVersion,
    },
    /// Show what the broker lacks or has otherwise; changes nothing
    #[command(after_help = PLAN)]
    Plan(Place),
    /// Declare what is missing and set the policies; safe to repeat, and for two at once
    #[command(after_help = APPLY)]
    Apply(apply::Apply),
    /// Check that the broker carries the fleet: over AMQP, and all of it where the management API is named
    #[command(after_help = CHECK)]
    Check(Place),
}

const PLAN: &str = "Example: DOCKET_MANAGEMENT_URL=http://user:password@host:15672 docket topology plan\n\
    Exit codes: 0 nothing to do, or only what apply does (--json: `steps` is then not empty); 64 something that apply \
    can't mend, or the URL or its account is wrong; 69 the management API is away.";
const APPLY: &str = "Example: docket topology apply --dry-run\n         docket topology apply --prune --yes\n\
    Nothing is deleted without --prune, and with it only the empty queues of lanes that are not configured.\n\
    Exit codes: 0 all is there; 64 something is left that it can't mend, or the broker refuses a step; 69 the management \
    API is away.";
const CHECK: &str = "Example: docket topology check --scheduler-user scheduler --worker-user worker\n\
    Exit codes: 0 nothing is missing or wrong in what could be checked; 64 something is; 69 the broker is away.";

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let json = args.json;
    match args.action {
        Action::Export { vhost, broker } => export(&vhost, broker, env, json),
        Action::Plan(place) => plan::run(&place, env, json).await,
        Action::Apply(apply) => apply::run(&apply, env, json).await,
        Action::Check(place) => check::run(&place, env, json).await,
    }
}

fn export(vhost: &str, broker: BrokerVersion, env: &Environment, json: bool) -> Outcome {
    place::check_vhost(vhost)?;
    if known(broker) == Known::TooOld {
        return Err(Failure::usage(format!("--broker: {broker} can't dead-letter at least once: use 3.10 or later")));
    }
    let mut topology = config::fleet(env)?.topology;
    topology.broker_major = broker.major;
    output::document(&definitions(&topology, vhost, &[]), json)
}
