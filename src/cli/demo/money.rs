//! A model that costs something, and a budget that runs out.

use crate::{
    cli::exit::Failure,
    config::Environment,
    dev::models::{Fault, ModelServer},
};
use serde_json::json;
use std::{fs, path::Path};
use tempfile::TempDir;

/// The model's name.
const MODEL: &str = "demo-model";
/// The city whose budget is too small for its two listings.
pub(super) const POOR_CITY: &str = "cedar-mesa";
/// Micro-dollars a day: some of its summaries, and not all of them.
pub(super) const LIMIT_MICRO_USD: u64 = 16_000;
/// Settings that the demonstration decides itself.
pub(super) const SETTINGS: &[&str] = &[
    "DOCKET_SUMMARISER",
    "DOCKET_MODELS",
    "DOCKET_OPENAI_MODEL",
    "DOCKET_OPENAI_URL",
    "DOCKET_OPENAI_KEY",
    "DOCKET_OPENAI_KEY_FILE",
    "DOCKET_PRICES_FILE",
    "DOCKET_BUDGETS_FILE",
];

/// The model's server, and the files that tell of it. Both end when it is dropped.
pub(super) struct Money {
    server: ModelServer,
    _files: TempDir,
}

impl Money {
    /// Starts the server and has `env` use it.
    pub(super) async fn start(env: &mut Environment) -> Result<Self, Failure> {
        let server = ModelServer::start().await.map_err(Failure::internal)?;
        // It is overloaded once: the job that meets it tries again.
        server.plan([Fault::Status(503)]);
        let files = TempDir::with_prefix("docket-demo-").map_err(Failure::internal)?;
        let prices = json!([{ "model": MODEL, "effective_from": "2020-01-01", "input": 1_000_000, "cached": 100_000,
                              "output": 4_000_000, "source": "made up for a demonstration" }]);
        let budgets =
            json!([{ "scope": "city", "name": POOR_CITY, "period": "day", "limit_micro_usd": LIMIT_MICRO_USD }]);
        let put = |name: &str, value: serde_json::Value| -> Result<String, Failure> {
            let path: &Path = &files.path().join(name);
            fs::write(path, value.to_string()).map_err(Failure::internal)?;
            Ok(path.display().to_string())
        };
        for (name, value) in [
            ("DOCKET_SUMMARISER", "openai"),
            ("DOCKET_OPENAI_MODEL", MODEL),
            ("DOCKET_OPENAI_URL", &server.openai_url()),
            ("DOCKET_PRICES_FILE", &put("prices.json", prices)?),
            ("DOCKET_BUDGETS_FILE", &put("budgets.json", budgets)?),
        ] {
            env.set_default(name, value);
        }
        Ok(Self { server, _files: files })
    }

    /// Calls that the model has answered.
    pub(super) fn calls(&self) -> u64 {
        self.server.calls()
    }
}
