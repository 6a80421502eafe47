//! `docket log-level`

use super::{
    exit::{Failure, Outcome},
    healthcheck::target,
    output, probe,
};
use crate::config::{self, Environment};
use clap::Parser;
use serde_json::json;
use std::time::Duration;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket log-level 127.0.0.1:9000 docket::fleet=debug --for 10m\n\
                        The token of DOCKET_HTTP_TOKEN is sent; a change needs an administrator's. Exit codes: 0 done, 69 \
                        refused or no answer.")]
pub(super) struct Args {
    /// Address of the process
    #[arg(value_name = "ADDR")]
    address: String,
    /// What to log by, as in `DOCKET_LOG`; without it the process says what it logs by
    filter: Option<String>,
    /// For how long; then as before
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = time)]
    time: Duration,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

const PATH: &str = "/api/log-level";
const DEADLINE: Duration = Duration::from_secs(5);

fn time(text: &str) -> Result<Duration, String> {
    config::duration(text).ok_or_else(|| "write a number and its unit, such as 30s or 10m".to_owned())
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let url = target(&args.address, PATH).map_err(Failure::usage)?;
    let token = config::http_token(env)?;
    let answer = match &args.filter {
        None => probe::get(&url, token.as_ref(), DEADLINE).await,
        Some(filter) => {
            let wish = json!({ "filter": filter, "seconds": args.time.as_secs() });
            probe::put(&url, token.as_ref(), &wish, DEADLINE).await
        }
    };
    let answer = answer.map_err(Failure::unavailable)?;
    if !answer.is_success() {
        return Err(Failure::unavailable(format!("{url} answers {}", answer.describe())));
    }
    let told = answer.json();
    if args.json {
        return output::json(&told);
    }
    let filter = told["filter"].as_str().filter(|filter| !filter.is_empty()).unwrap_or("info, the default");
    output::text(&match args.filter {
        Some(_) => format!("{filter}, for {} s", args.time.as_secs()),
        None => filter.to_owned(),
    })
}
