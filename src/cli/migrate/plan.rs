//! `docket migrate plan`

use crate::{
    cli::{exit::Outcome, output},
    db::{self, MigrationSet, Planned},
};
use tokio_postgres::Config;

pub(super) async fn run(config: &Config, to: Option<i32>, json: bool) -> Outcome {
    let plan = db::plan(config, &MigrationSet::embedded(), to).await?;
    if json {
        return output::json(&serde_json::json!({ "plan": plan }));
    }
    if plan.is_empty() {
        return output::text("nothing is missing");
    }
    output::text(&plan.iter().map(text).collect::<Vec<_>>().join("\n\n"))
}

fn text(planned: &Planned) -> String {
    let how = if planned.in_steps { "in steps, beside the work" } else { "whole" };
    let mut lines = vec![format!("V{} {}: {how}", planned.version, planned.name)];
    for (index, step) in planned.steps.iter().enumerate() {
        let tables: Vec<String> =
            step.tables.iter().map(|(name, rows)| format!("{name} (about {rows} rows)")).collect();
        let on = if tables.is_empty() { String::new() } else { format!("; names {}", tables.join(", ")) };
        lines.push(format!("  {}. {}{on}", index + 1, step.what));
    }
    lines.push(format!("  locks: {}", planned.locks.as_deref().unwrap_or("its author doesn't say")));
    lines.push(format!("  measured: {}", planned.measured.as_deref().unwrap_or("its author doesn't say")));
    lines.join("\n")
}
