//! `docket topology plan`

use super::{place::Place, show};
use crate::{
    cli::{exit::Outcome, output},
    config::Environment,
};

pub(super) async fn run(place: &Place, env: &Environment, json: bool) -> Outcome {
    let site = place.needed(env)?;
    let (observed, plan) = site.plan().await?;
    if json {
        output::json(&show::plan_json(&site, &observed, &plan))?;
    } else {
        show::plan(&site, &observed, &plan)?;
    }
    show::verdict(&plan)
}
