//! Doing it.

use super::{
    args::{Action, Args, Up},
    plan, rehearse, verify,
};
use crate::{
    cli::{client, exit::Outcome, output},
    config::Environment,
    db::{self, Migration, MigrationSet, State, Upgrade},
};
use tokio_postgres::Config;

pub(in crate::cli) async fn run(args: Args, env: &Environment) -> Outcome {
    let config = client::database(env)?;
    // One clear word about a server that is away or refuses, before anything is tried.
    drop(client::open(&config).await?);
    match args.action {
        Action::Up(up) if up.dry_run => rehearse::run(&config, up.to, up.limit, args.json).await,
        Action::Up(up) => apply(&config, &up, args.json).await,
        Action::Status => show(&db::migrations(&config).await?, args.json),
        Action::Plan { to } => plan::run(&config, to, args.json).await,
        Action::Verify { to } => verify::run(&config, to, args.json).await,
    }
}

async fn apply(config: &Config, up: &Up, json: bool) -> Outcome {
    let backup = up.backup.as_deref();
    let upgrade = Upgrade { set: MigrationSet::embedded(), to: up.to, backup, tell: &output::note };
    let applied = db::upgrade(config, &upgrade).await?;
    if backup.is_some() && applied.is_empty() {
        output::note("nothing is missing, so there is no backup");
    }
    show(&applied, json)
}

fn show(migrations: &[Migration], json: bool) -> Outcome {
    if json {
        return output::json(&serde_json::json!({ "migrations": migrations }));
    }
    if migrations.is_empty() {
        return output::text("the schema is up to date");
    }
    let rows = migrations.iter().map(|m| [m.version.to_string(), m.name.clone(), word(m.state).to_owned()]);
    output::table(["version", "name", "state"], rows)
}

const fn word(state: State) -> &'static str {
    match state {
        State::Applied => "applied",
        State::Missing => "missing",
        State::Changed => "applied with another text",
        State::Unknown => "applied, unknown to this binary",
    }
}
