//! Short items of the same meeting whose jobs are ready: a model may be asked about them in the same call.

use super::{SummariseItem, SummariseItemArgs, input};
use crate::{
    civic::{
        Services,
        llm::{Request, chunk, client::CHARS_PER_TOKEN, proof::has_orders},
        store::{items, refs},
    },
    fleet::{
        handler::{Context, Handler, HandlerError},
        job::JobId,
        ledger::siblings,
    },
};
use std::collections::HashSet;

/// Jobs that are looked at for each place in the call: some are of procedure, some of long texts.
const LOOKED_AT: usize = 4;
/// Questions that are found for each place: some are asked by others at this moment, or answered.
const FOUND: usize = 2;

/// Questions that the own one may take along, the nearest first; more than one call takes.
///
/// There are none where the setting says one item a call; for a text that is too long for company, or that holds what reads like
/// an order to a model; for a job that has failed before, or while calls about several items fail. What goes wrong with the look
/// for them costs nothing but the company.
pub(super) async fn of(services: &Services, own: &Request, ctx: &Context) -> Vec<Request> {
    let places = services.settings.items_per_call.saturating_sub(1);
    let Some(parent) = ctx.parent.filter(|_| places > 0 && ctx.attempt == 1 && services.company.is_welcome()) else {
        return Vec::new();
    };
    // All of them together are no longer than what one text may be.
    let limit = services.settings.max_input_tokens / (places + 1);
    if !may_have_company(own, limit) {
        return Vec::new();
    }
    match look(services, own, (parent, ctx.job), (places, limit)).await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, "no items are taken along");
            Vec::new()
        }
    }
}

async fn look(
    services: &Services,
    own: &Request,
    ids: (JobId, JobId),
    (places, limit): (usize, usize),
) -> Result<Vec<Request>, HandlerError> {
    let extractor = services.extractor().await?;
    let db = services.db().await?;
    let most_bytes = i64::try_from(limit.saturating_mul(CHARS_PER_TOKEN)).unwrap_or(i64::MAX);
    let mut keys = HashSet::from([own.key()]);
    let mut found = Vec::new();
    for args in siblings(&*db, ids, SummariseItem::KIND, LOOKED_AT * places).await? {
        if found.len() == FOUND * places {
            break;
        }
        let Ok(SummariseItemArgs { item, .. }) = serde_json::from_value(args) else { continue };
        let Some(item) = items::find(&*db, item).await? else { continue };
        if refs::text_bytes(&*db, item.meeting, item.id, &extractor).await? > most_bytes {
            continue;
        }
        let documents = refs::texts(&*db, item.meeting, Some(item.id), &extractor).await?;
        let Ok(material) = input::item(&item, &documents, &services.settings) else { continue };
        // Two items with the same words have the same answer.
        let question = material.in_one(limit).filter(|request| may_have_company(request, limit));
        found.extend(question.filter(|request| keys.insert(request.key())));
    }
    Ok(found)
}

/// A text that gives orders could give them about the others.
fn may_have_company(request: &Request, limit: usize) -> bool {
    chunk::tokens(&request.text) <= limit && !has_orders(&request.title, &request.text)
}
