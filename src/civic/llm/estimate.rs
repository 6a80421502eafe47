//! What summaries that don't exist yet would cost. Pure; its assumptions stand in [`ASSUMPTIONS`].

use super::{MicroUsd, Price, PriceTable, Usage, client::CHARS_PER_TOKEN, procedural::procedural};
use jiff::civil::Date;
use serde::Serialize;
use std::ops::AddAssign;

/// Tokens of what a model is told besides the text.
const PROMPT_TOKENS: u64 = 300;
/// Tokens of an answer without hidden reasoning: some sentences.
const ANSWER_TOKENS: u64 = 250;
/// Tokens of an item's line in the text of its meeting.
const LINE_TOKENS: u64 = 150;

/// What an estimate takes for granted.
pub const ASSUMPTIONS: &[&str] = &[
    "4 characters are a token",
    "a call is told 300 tokens besides its text, and answers with 250; models that think answer with more",
    "every call succeeds at the first try, and nothing comes from a server's cache",
    "each item is asked about alone, also where civic.items_per_call says otherwise",
    "an answer that was paid for before is paid for again: the cache is not looked into",
    "documents that are not extracted yet are not counted",
];

/// Calls, and what they would cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Texts to be summarised.
    pub texts: u64,
    /// Requests.
    pub calls: u64,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Money.
    pub cost_micro_usd: MicroUsd,
    /// The same through the provider's batch interface, where it has one. Docket does not use it.
    pub batch_micro_usd: MicroUsd,
}

impl AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.texts += other.texts;
        self.calls += other.calls;
        self.tokens_in += other.tokens_in;
        self.tokens_out += other.tokens_out;
        self.cost_micro_usd += other.cost_micro_usd;
        self.batch_micro_usd += other.batch_micro_usd;
    }
}

/// By what an estimate is made.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// The prices.
    pub prices: &'a PriceTable,
    /// The model.
    pub model: &'a str,
    /// The day whose prices count.
    pub day: Date,
    /// Longest text that is read at once, in tokens.
    pub limit: u64,
    /// Fewer characters are not worth a summary.
    pub min_chars: u64,
}

impl Basis<'_> {
    /// An item with documents of these sizes, in bytes, or with nothing but so many bytes of words. None: it is skipped.
    #[must_use]
    pub fn item(&self, title: &str, documents: &[u64], words: u64) -> Option<Estimate> {
        let all: u64 = documents.iter().sum();
        let read = if all >= self.min_chars { all } else { words };
        if procedural(title).is_some() || read < self.min_chars {
            return None;
        }
        let tokens = |bytes: u64| bytes.div_ceil(CHARS_PER_TOKEN as u64);
        if tokens(read) <= self.limit || all < self.min_chars {
            return Some(Estimate { texts: 1, ..self.call(tokens(read)) });
        }
        // A chunk ends with its document.
        let mut estimate = Estimate { texts: 1, ..Estimate::default() };
        let mut chunks = 0;
        for document in documents.iter().map(|bytes| tokens(*bytes)).filter(|tokens| *tokens > 0) {
            let parts = document.div_ceil(self.limit);
            chunks += parts;
            (0..parts).for_each(|_| estimate += self.call(document.div_ceil(parts)));
        }
        estimate += self.call(chunks * ANSWER_TOKENS);
        Some(estimate)
    }

    /// A meeting of so many items, with so many bytes of titles.
    #[must_use]
    pub fn meeting(&self, items: u64, titles: u64) -> Estimate {
        let tokens = titles.div_ceil(CHARS_PER_TOKEN as u64) + items * LINE_TOKENS;
        let parts = tokens.div_ceil(self.limit).max(1);
        let mut estimate = Estimate { texts: 1, ..Estimate::default() };
        (0..parts).for_each(|_| estimate += self.call(tokens.div_ceil(parts)));
        if parts > 1 {
            estimate += self.call(parts * ANSWER_TOKENS);
        }
        estimate
    }

    fn call(&self, text_tokens: u64) -> Estimate {
        let (tokens_in, tokens_out) = (text_tokens + PROMPT_TOKENS, ANSWER_TOKENS);
        let count = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
        let usage = Usage { input: count(tokens_in), output: count(tokens_out), ..Usage::default() };
        let price = self.prices.of(self.model, self.day, usage.input);
        let cost = price.map_or(0, |price: &Price| price.cost(usage));
        let percent = price.map_or(100, |price| price.batch_percent);
        let batch = (cost * u64::from(percent)).div_ceil(100);
        Estimate { texts: 0, calls: 1, tokens_in, tokens_out, cost_micro_usd: cost, batch_micro_usd: batch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn calls_tokens_and_money_follow_from_sizes() {
        let price = Price {
            model: "m".into(),
            effective_from: date(2026, 1, 1),
            tier_upto: None,
            input: 1_000_000,
            cached: 0,
            output: 2_000_000,
            batch_percent: 50,
            source: "made up".into(),
        };
        let prices = PriceTable::new(vec![price]);
        let basis = Basis { prices: &prices, model: "m", day: date(2026, 5, 1), limit: 1_000, min_chars: 50 };
        let one = |tokens: u64| Estimate {
            texts: 1,
            calls: 1,
            tokens_in: tokens + 300,
            tokens_out: 250,
            cost_micro_usd: tokens + 300 + 500,
            batch_micro_usd: (tokens + 800).div_ceil(2),
        };
        assert_eq!(basis.item("Lease", &[4_000], 10), Some(one(1_000)));
        assert_eq!(basis.item("Lease", &[], 400), Some(one(100)), "its own words");
        assert_eq!(basis.item("Lease", &[10], 10), None);
        assert_eq!(basis.item("Approval of the Minutes", &[4_000], 10), None);
        // 2,500 tokens in three chunks, 100 in another, and one call over four summaries.
        let long = basis.item("Lease", &[10_000, 400], 10).unwrap();
        assert_eq!((long.texts, long.calls), (1, 5));
        assert_eq!(long.tokens_in, 3 * (834 + 300) + (100 + 300) + (4 * 250 + 300));
        assert_eq!(long.cost_micro_usd, long.tokens_in + 2 * long.tokens_out);
        assert_eq!(basis.meeting(4, 400), one(700));
        assert_eq!(basis.meeting(20, 0).calls, 4);
    }
}
