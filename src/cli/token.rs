//! `docket token`

use super::{
    exit::{Failure, Outcome},
    output,
};
use crate::http::{Role, Token};
use clap::{Parser, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket token new --name ci --role operator")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token, and print it once, with its entry for the server's file of tokens
    #[command(after_help = "Example: docket token new --name grafana --role viewer --json")]
    New {
        /// Who will have it; events name it
        #[arg(long)]
        name: String,
        /// What its holder may do: read; also act on jobs and lanes; also what is dangerous
        #[arg(long, value_name = "viewer|operator|admin")]
        role: Role,
    },
}

pub(super) fn run(args: &Args) -> Outcome {
    let Action::New { name, role } = &args.action;
    let (secret, token) = Token::generate(name, *role).map_err(|e| Failure::usage(format!("--name: {e}")))?;
    let (secret, sha256) = (secret.expose_secret(), token.sha256_hex());
    let entry = format!("[[token]]\nname = \"{name}\"\nrole = \"{role}\"\nsha256 = \"{sha256}\"");
    if args.json {
        return output::json(&json!({
            "token": secret, "name": name, "role": role.as_str(), "sha256": sha256, "entry": entry,
        }));
    }
    output::text(&format!(
        "The token, which is shown only now:\n\n{secret}\n\nIts entry for the file that DOCKET_HTTP_TOKENS_FILE names \
         (then restart the server):\n\n{entry}"
    ))
}
