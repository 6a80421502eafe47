//! A text of any length: read at once where it fits, else in parts whose summaries are summarised.

use super::{
    input::Material,
    model_call::Made,
    paid_call::Asker,
    question::{Paid, Told, Trouble, Unusable, hopeless},
};
use crate::{
    civic::{
        Services,
        llm::{
            Answer, PromptType, Request,
            chunk::{self, PageRange},
            client::CHARS_PER_TOKEN,
            clip,
            proof::Source,
        },
        store::summaries::NewSummary,
    },
    fleet::handler::{Context, HandlerError},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often the parts are made half as long, when a model can't answer to longer ones.
const HALVINGS: u32 = 2;
/// Parts of fewer tokens are not halved: what a model can't read of them it can't read.
const SMALLEST: usize = 200;
/// How often summaries of parts are summarised in groups, when they are too long together.
const COLLAPSES: usize = 3;
/// A run that has answers to keep, and has gone on for so long, gives the job back, without cost: the next one goes on from what
/// is paid for. Well below a job's deadline.
const TURN: Duration = Duration::from_mins(2);

/// The summary of a material, or why there is none.
pub(super) async fn summarise(
    services: &Arc<Services>,
    material: &Material,
    ctx: &Context,
    city: &str,
) -> Result<Made, HandlerError> {
    let asker = Asker { services: services.clone(), ctx: ctx.clone(), city: city.to_owned() };
    let mut run = Run { asker, material, paid: Paid::default(), begun: Instant::now() };
    let mut halvings = 0;
    loop {
        let limit = run.limit();
        // A short text has to become shorter than it is, not than what is allowed.
        let limit = if halvings == 0 { limit } else { limit.min(material.tokens()) >> halvings };
        match run.whole(limit).await {
            Ok(made) => return Ok(made),
            Err(Trouble::Job(error)) => return Err(error),
            Err(Trouble::Smaller(error)) if halvings == HALVINGS || limit.min(material.tokens()) < SMALLEST => {
                return Err(hopeless(&error));
            }
            Err(Trouble::Smaller(_)) => halvings += 1,
        }
    }
}

struct Run<'a> {
    asker: Asker,
    material: &'a Material,
    paid: Paid,
    begun: Instant,
}

/// A part's summary, and what it rests on.
struct Partial {
    text: String,
    pages: Vec<PageRange>,
}

impl Run<'_> {
    /// Longest text that is read at once, in tokens.
    fn limit(&self) -> usize {
        self.asker.services.settings.max_input_tokens
    }

    async fn whole(&mut self, limit: usize) -> Result<Made, Trouble> {
        let chunks = chunk::chunks(&self.material.parts, limit);
        if let [chunk] = &chunks[..] {
            let request = self.material.question(self.material.prompt, chunk);
            // What is read again in smaller parts, or from parts, is no short item.
            let company = self.material.prompt == PromptType::Item && limit == self.limit();
            let told = self.ask(request, &chunk::plain(chunk), company).await?;
            return Ok(self.made(told, |answer| chunk::ranges(chunk, &answer.pages)));
        }
        let mut partials = Vec::with_capacity(chunks.len());
        let mut last = None;
        for chunk in &chunks {
            let request = self.material.question(PromptType::Chunk, chunk);
            let told = self.ask(request, &chunk::plain(chunk), false).await?;
            match told.answer {
                Ok(answer) => {
                    partials.push(Partial { pages: chunk::ranges(chunk, &answer.pages), text: answer.summary });
                }
                // What can't be proven is left out, and the pages say that it is.
                Err(_) => last = Some(told),
            }
        }
        if partials.is_empty() {
            let Some(told) = last else { return Err(Trouble::Job(nothing())) };
            return Ok(self.made(told, |_| Vec::new()));
        }
        self.reduce(partials, limit).await
    }

    async fn reduce(&mut self, mut partials: Vec<Partial>, limit: usize) -> Result<Made, Trouble> {
        for _ in 0..COLLAPSES {
            if chunk::tokens(&joined(&partials)) <= limit || partials.len() < 2 {
                break;
            }
            partials = self.collapse(partials, limit).await?;
        }
        let text = joined(&partials);
        // After so many collapses it fits, unless the limit is absurd.
        let text = clip(&text, limit.saturating_mul(CHARS_PER_TOKEN));
        let told = self.ask(Request::new(self.material.prompt, &self.material.title, text), text, false).await?;
        Ok(self.made(told, |_| chunk::merged(partials.into_iter().flat_map(|partial| partial.pages))))
    }

    /// Groups of summaries, each of which fits, become one summary each.
    async fn collapse(&mut self, partials: Vec<Partial>, limit: usize) -> Result<Vec<Partial>, Trouble> {
        let mut collapsed = Vec::new();
        for group in groups(partials, limit) {
            let text = joined(&group);
            let request = Request::new(PromptType::Chunk, &self.material.title, &text);
            let pages: Vec<PageRange> = group.iter().flat_map(|partial| partial.pages.clone()).collect();
            match self.ask(request, &text, false).await?.answer {
                Ok(answer) => collapsed.push(Partial { text: answer.summary, pages: chunk::merged(pages) }),
                // Each of them is proven: they stay as they are.
                Err(_) => collapsed.extend(group),
            }
        }
        Ok(collapsed)
    }

    /// Asks, and has the answer proven by `text`: what the request says without what we have put into it.
    async fn ask(&mut self, request: Request, text: &str, company: bool) -> Result<Told, Trouble> {
        if self.paid.kept > 0 && self.begun.elapsed() > TURN {
            return Err(Trouble::Job(HandlerError::Snooze(Duration::from_secs(1))));
        }
        let source = Source::new(&request.title, text);
        self.asker.ask(request, &source, company, &mut self.paid).await
    }

    /// The summary's key is the whole material, in however many parts it was read.
    fn made(&self, told: Told, pages: impl FnOnce(&Answer) -> Vec<PageRange>) -> Made {
        let (answer, reasons) = match told.answer {
            Ok(answer) => (answer, Vec::new()),
            Err(Unusable::Unproven(answer, faults)) => (answer, faults.iter().map(ToString::to_string).collect()),
            Err(Unusable::Blocked(reason)) => return Made::Blocked(reason),
        };
        Made::Summary(NewSummary {
            input_hash: self.material.whole(usize::MAX).input_hash(),
            model: told.model,
            prompt_version: self.asker.provider(0).prompt_version(),
            pages: pages(&answer),
            body: answer.summary,
            tokens_in: self.paid.tokens_in,
            tokens_out: self.paid.tokens_out,
            cost_micro_usd: self.paid.cost_micro_usd,
            reasons,
        })
    }
}

fn joined(partials: &[Partial]) -> String {
    partials.iter().map(|partial| partial.text.as_str()).collect::<Vec<_>>().join("\n\n")
}

/// Neighbours, as many as fit, and at least two: a group of one would not become shorter.
fn groups(partials: Vec<Partial>, limit: usize) -> Vec<Vec<Partial>> {
    let mut groups: Vec<Vec<Partial>> = Vec::new();
    let mut room = 0;
    for partial in partials {
        let needs = chunk::tokens(&partial.text) + 1;
        match groups.last_mut() {
            Some(group) if needs <= room || group.len() < 2 => group.push(partial),
            _ => {
                groups.push(vec![partial]);
                room = limit;
            }
        }
        room = room.saturating_sub(needs);
    }
    groups
}

/// A material without any text never comes here: it is skipped before.
fn nothing() -> HandlerError {
    HandlerError::non_retryable(crate::fleet::handler::ErrorClass::InvalidArgs, "there is no text to summarise")
}
