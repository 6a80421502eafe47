//! `docket healthcheck`: for containers without curl.

use super::{
    exit::{Failure, Outcome},
    output, probe,
};
use crate::config::{self, Environment};
use clap::Parser;
use std::time::Duration;
use url::Url;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket healthcheck 127.0.0.1:9000\n\
                        Exit codes: 0 the answer is a success, 69 it isn't or there is none. /livez and /readyz need no \
                        token; for any other path the one of DOCKET_HTTP_TOKEN is sent.")]
pub(super) struct Args {
    /// Address or URL; /readyz is asked unless it names another path
    #[arg(value_name = "URL")]
    url: String,
    /// Deadline of the whole answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    // Not by the parser of arguments: it would show what was typed, and with it a password.
    let url = target(&args.url, "/readyz").map_err(Failure::usage)?;
    let token = if is_open(&url) { None } else { config::http_token(env)? };
    let deadline = Duration::from_secs(args.timeout);
    let answer = probe::get(&url, token.as_ref(), deadline).await.map_err(Failure::unavailable)?;
    if !answer.is_success() {
        return Err(Failure::unavailable(format!("{url} answers {}", answer.describe())));
    }
    if args.json {
        return output::json(&serde_json::json!({
            "url": url.as_str(), "status": answer.status, "health": answer.health(),
        }));
    }
    output::text(&answer.describe())
}

/// Probes are open to everyone: whoever listens there needs no token to answer, and gets none.
fn is_open(url: &Url) -> bool {
    matches!(url.path(), "/livez" | "/readyz")
}

/// `host:port`, `http://host:port`, or a URL with a path; without one, `path` is asked.
pub(super) fn target(text: &str, path: &str) -> Result<Url, String> {
    const SHAPE: &str = "write an address such as 127.0.0.1:9000, or a URL such as http://127.0.0.1:9000/livez";
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let mut url: Url = full.parse().map_err(|e| format!("{e}; {SHAPE}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(SHAPE.to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("no user or password here: other users of the machine can read arguments".to_owned());
    }
    if url.path() == "/" {
        url.set_path(path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_urls() {
        for (text, url) in [
            ("127.0.0.1:9000", "http://127.0.0.1:9000/readyz"),
            ("[::1]:9000", "http://[::1]:9000/readyz"),
            ("localhost", "http://localhost/readyz"),
            ("localhost:9000/livez", "http://localhost:9000/livez"),
            ("https://docket.example/", "https://docket.example/readyz"),
            ("http://127.0.0.1:9000/api/queue-stats?exact=true", "http://127.0.0.1:9000/api/queue-stats?exact=true"),
        ] {
            assert_eq!(target(text, "/readyz").map(String::from), Ok(url.to_owned()), "{text}");
        }
        for bad in ["", ":", "ftp://h", "file:///etc/passwd", "http://", "h:99999", "http://u@h", "u:hunter2@h:1"] {
            let error = target(bad, "/readyz").expect_err(bad);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn only_probes_are_asked_without_a_token() {
        for (text, open) in [("h", true), ("h/livez", true), ("h/metrics", false), ("h/livez/../api", false)] {
            assert_eq!(is_open(&target(text, "/readyz").expect(text)), open, "{text}");
        }
    }
}
