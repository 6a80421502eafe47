//! stub
use clap::Parser;
/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket doctor")]
pub(super) struct Args {}
pub(super) async fn run(_args: Args, _env: &crate::config::Environment) -> super::exit::Outcome { Ok(()) }
