//! `docket chaos-worker`: `docket worker` with the kinds of the chaos.

use crate::{
    cli::{
        exit::{Failure, Outcome},
        worker,
    },
    config::Environment,
    dev::chaos::kinds,
};
use clap::Parser;
use std::{path::PathBuf, sync::Arc};

/// Arguments.
#[derive(Debug, Parser)]
#[group(skip)]
#[command(after_help = "Example: docket chaos-worker --witness /tmp/evidence --slots 8")]
pub(in crate::cli) struct Args {
    /// Directory of the file in which the handlers tell what they do
    #[arg(long, value_name = "DIR")]
    witness: PathBuf,
    /// Where the handlers that call out post to
    #[arg(long, value_name = "URL")]
    sink: Option<String>,
    #[command(flatten)]
    worker: worker::Args,
}

impl Args {
    /// Flags that are settings.
    pub(in crate::cli) fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        self.worker.flags()
    }
}

pub(in crate::cli) async fn run(args: Args, env: Environment) -> Outcome {
    let Args { witness, sink, worker } = args;
    let kinds = move |_: &_| Ok(Arc::new(kinds::registry(&witness, sink).map_err(Failure::from)?));
    worker::serve(worker, &env, kinds).await
}
