//! `docket migrate up --dry-run`

use crate::{
    cli::{exit::Outcome, output},
    db::{self, MigrationSet, Rehearsed},
};
use std::time::Duration;
use tokio_postgres::Config;

pub(super) async fn run(config: &Config, to: Option<i32>, limit: u32, json: bool) -> Outcome {
    let limit = Duration::from_secs(limit.into());
    let rehearsal = db::rehearse(config, &MigrationSet::embedded(), to, limit, &output::note).await?;
    if json {
        return output::json(&serde_json::json!({ "dry_run": rehearsal }));
    }
    for statement in &rehearsal.statements {
        output::text(&text(statement))?;
    }
    output::text(&format!(
        "{} statements ran and were rolled back; {} objects were compared with what they were before: nothing changed",
        rehearsal.statements.len(),
        rehearsal.compared
    ))
}

fn text(statement: &Rehearsed) -> String {
    let Rehearsed { migration, sql, rows, locks, rewritten, milliseconds } = statement;
    let locks: Vec<String> = locks.iter().map(|lock| format!("{} on {}", lock.mode, lock.table)).collect();
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!(
        "{sql};\n-- {migration}: {rows} rows; new locks: {}; rewritten: {}; {milliseconds} ms\n",
        list(&locks),
        list(rewritten)
    )
}
