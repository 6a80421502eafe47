//! `docket migrate verify`

use crate::{
    civic::store,
    cli::{
        exit::{Failure, Outcome},
        output,
    },
    db::{self, Drift, MigrationSet, Outcome as Answer, Tried, Verification},
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
        let fault = if tried.ok { "" } else { "FAULT: " };
        [tried.what.clone(), format!("{fault}{}", answer(tried))]
    });
    output::table(["tried", "answer"], tried)?;
    let drift = found.drift.iter().map(|Drift { object, name, kind, expected, found }| {
        let kind = format!("{kind:?}").to_lowercase();
        [object.clone(), name.clone(), kind, expected.clone(), found.clone()]
    });
    if found.drift.is_empty() {
        output::text("no drift: the schema is what the migrations make")?;
    } else {
        output::table(["object", "name", "drift", "expected", "found"], drift)?;
    }
    output::text(&format!("version {}; {} rules tried", found.version, found.trials.len()))
}

fn answer(tried: &Tried) -> String {
    match &tried.outcome {
        Answer::Allowed => "allowed".to_owned(),
        Answer::Refused { by } => format!("refused by {by}"),
        Answer::Broken { error } => format!("could not be tried: {error}"),
    }
}
