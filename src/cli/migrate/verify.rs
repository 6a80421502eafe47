//! `docket migrate verify`

use crate::{
    civic::store,
    cli::{
        exit::{Failure, Outcome},
        output,
    },
    db::{self, Drift, DriftKind, MigrationSet, Outcome as Answer, Tried, Verification},
    fleet::ledger,
};
use tokio_postgres::Config;

pub(super) async fn run(config: &Config, to: Option<i32>, json: bool) -> Outcome {
    let mut trials = ledger::trials();
    trials.extend(store::trials());
    let found = db::verify(config, &MigrationSet::embedded(), to, &trials).await?;
    if json {
        output::json(&found)?;
    } else {
        show(&found)?;
    }
    let (faults, drifted) = (found.faults().count(), found.drifted().count());
    if faults + drifted == 0 {
        return Ok(());
    }
    Err(Failure::internal(format!(
        "{faults} rules don't hold and {drifted} objects differ from what the migrations of version {} make: compare with a \
         schema that docket migrate up has made anew, and mend by hand",
        found.version
    )))
}

fn show(found: &Verification) -> Outcome {
    let tried = found.trials.iter().map(|tried| {
        let verdict = if tried.ok { "ok   " } else { "FAULT" };
        format!("{verdict}  {}: {}", tried.what, answer(tried))
    });
    let drift = found.drift.iter().map(described);
    let none = found.drift.is_empty().then(|| "no drift: the schema is what the migrations make".to_owned());
    let last = format!("version {}; {} rules tried", found.version, found.trials.len());
    output::text(&tried.chain(drift).chain(none).chain([last]).collect::<Vec<_>>().join("\n"))
}

fn described(drift: &Drift) -> String {
    let Drift { object, name, kind, expected, found } = drift;
    let kind = match kind {
        DriftKind::Missing => "MISSING",
        DriftKind::Extra => "EXTRA",
        DriftKind::Changed => "CHANGED",
        DriftKind::Foreign => "foreign",
    };
    let sides = [("expected", expected), ("found", found)].into_iter().filter(|(_, text)| !text.is_empty());
    let sides =
        sides.map(|(side, text)| format!("\n  {side}: {}", text.split_whitespace().collect::<Vec<_>>().join(" ")));
    format!("{kind}  {object} {name}{}", sides.collect::<String>())
}

fn answer(tried: &Tried) -> String {
    match &tried.outcome {
        Answer::Allowed => "allowed".to_owned(),
        Answer::Refused { by } => format!("refused by {by}"),
        Answer::Broken { error } => format!("could not be tried: {error}"),
    }
}
