//! Short items of the same meeting whose jobs are ready: a model may be asked about them in the same call.

use super::{SummariseItem, SummariseItemArgs, input};
use crate::{
    civic::{
        Services,
        llm::{Request, chunk},
        store::{items, refs},
    },
    fleet::{
        handler::{Context, Handler, HandlerError},
        ledger::siblings,
    },
};
use std::collections::HashSet;

/// Jobs that are looked at for each place in the call: some are of procedure, some of long texts, some answered already.
const LOOKED_AT: usize = 4;

/// Questions that the own one may take along, the nearest first; more than one call takes. None: the setting says one item a call, the own text is too long for company, or the job has failed before: then it
/// asks alone, so that what is wrong with a neighbour can't end it.
pub(super) async fn of(services: &Services, own: &Request, ctx: &Context) -> Result<Vec<Request>, HandlerError> {
    let most = services.settings.items_per_call;
    let Some(parent) = ctx.parent.filter(|_| most > 1 && ctx.attempt == 1) else { return Ok(Vec::new()) };
    // All of them together are no longer than what one text may be.
    let limit = services.settings.max_input_tokens / most;
    let is_short = |request: &Request| chunk::tokens(&request.text) <= limit;
    if !is_short(own) {
        return Ok(Vec::new());
    }
    let extractor = services.extractor().await?;
    let db = services.db().await?;
    let jobs = siblings(&*db, (parent, ctx.job), SummariseItem::KIND, LOOKED_AT * (most - 1)).await?;
    let mut keys = HashSet::from([own.key()]);
    let mut questions = Vec::with_capacity(jobs.len());
    for args in jobs {
        let Ok(SummariseItemArgs { item, .. }) = serde_json::from_value(args) else { continue };
        let Some(item) = items::find(&*db, item).await? else { continue };
        let documents = refs::texts(&*db, item.meeting, Some(item.id), &extractor).await?;
        let Ok(material) = input::item(&item, &documents, &services.settings) else { continue };
        // Two items with the same words have the same answer.
        questions.extend(material.in_one(limit).filter(is_short).filter(|request| keys.insert(request.key())));
    }
    Ok(questions)
}
