//! Prices, dated: published ones differ between sources and change, so they are configuration.

use super::Usage;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Money: millionths of a US dollar. Sums of it are exact.
pub type MicroUsd = u64;

/// What a model costs from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The model's name, as it is asked for.
    pub model: String,
    /// First day of this price.
    pub effective_from: Date,
    /// Largest prompt that it is for, in tokens; none: for all that are larger than those of the other rows of its day.
    #[serde(default)]
    pub tier_upto: Option<u32>,
    /// Micro-dollars for a million input tokens.
    pub input: MicroUsd,
    /// Micro-dollars for a million input tokens that the server had cached.
    pub cached: MicroUsd,
    /// Micro-dollars for a million output tokens.
    pub output: MicroUsd,
    /// What a call in a batch costs, in percent of this. Docket makes no such calls; `docket cost estimate` tells what they
    /// would cost.
    #[serde(default = "whole")]
    pub batch_percent: u8,
    /// Where the price was read.
    pub source: String,
}

const fn whole() -> u8 {
    100
}

/// All prices that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriceTable {
    prices: Vec<Price>,
}

impl PriceTable {
    /// A table of these prices, in any order.
    #[must_use]
    pub const fn new(prices: Vec<Price>) -> Self {
        Self { prices }
    }

    /// The price of a model for a prompt of so many tokens: of the newest day that is not after `day`, the row of the smallest
    /// tier that holds the prompt. A prompt beyond all of them has the price of the largest: it is never free.
    #[must_use]
    pub fn of(&self, model: &str, day: Date, prompt_tokens: u32) -> Option<&Price> {
        let since = self.since(model, day)?;
        let upto = |price: &&Price| price.tier_upto.unwrap_or(u32::MAX);
        let of_day = || self.prices.iter().filter(|p| p.model == model && p.effective_from == since);
        of_day().filter(|price| upto(price) >= prompt_tokens).min_by_key(upto).or_else(|| of_day().max_by_key(upto))
    }

    /// Since when the price of a model that is in force on `day` is; none: it has none.
    #[must_use]
    pub fn since(&self, model: &str, day: Date) -> Option<Date> {
        self.prices.iter().filter(|p| p.model == model && p.effective_from <= day).map(|p| p.effective_from).max()
    }
}

impl Price {
    /// The cost of one call, rounded up: a call that cost something never counts as free.
    #[must_use]
    pub fn cost(&self, usage: Usage) -> MicroUsd {
        let cached = usage.cached.min(usage.input);
        let whole = u128::from(usage.input - cached) * u128::from(self.input)
            + u128::from(cached) * u128::from(self.cached)
            + u128::from(usage.output) * u128::from(self.output);
        MicroUsd::try_from(whole.div_ceil(1_000_000)).unwrap_or(MicroUsd::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn price(from: Date, input: MicroUsd) -> Price {
        Price {
            model: "small".into(),
            effective_from: from,
            input,
            tier_upto: None,
            cached: 30_000,
            output: 2_500_000,
            batch_percent: 50,
            source: "list".into(),
        }
    }

    #[test]
    fn the_price_of_the_day_counts() {
        let table = PriceTable::new(vec![price(date(2026, 5, 1), 2), price(date(2026, 1, 1), 1)]);
        assert_eq!(table.of("small", date(2026, 4, 30), 9).map(|p| p.input), Some(1));
        assert_eq!(table.of("small", date(2026, 5, 1), 9).map(|p| p.input), Some(2));
        assert_eq!(table.of("small", date(2025, 12, 31), 9), None);
        assert_eq!(table.of("large", date(2026, 5, 1), 9), None);
    }

    #[test]
    fn cost_is_exact_and_rounds_up() {
        let price = price(date(2026, 1, 1), 300_000);
        // 20,500 tokens in and 300 out at $0.30 and $2.50 a million: $0.0069.
        assert_eq!(price.cost(Usage { input: 20_500, cached: 0, output: 300, thoughts: 0 }), 6_900);
        assert_eq!(price.cost(Usage { input: 1_000_000, cached: 1_000_000, output: 0, thoughts: 0 }), 30_000);
        assert_eq!(price.cost(Usage { input: 1, cached: 0, output: 0, thoughts: 0 }), 1);
        assert_eq!(price.cost(Usage::default()), 0);
        assert_eq!(
            price.cost(Usage { input: 1, cached: 9, output: 0, thoughts: 0 }),
            1,
            "more cached than read is a server's slip"
        );
    }
    #[test]
    fn a_long_prompt_has_the_price_of_its_tier() {
        let tier = |from, upto, input| Price { tier_upto: upto, ..price(from, input) };
        let (old, new) = (date(2026, 1, 1), date(2026, 5, 1));
        let table = PriceTable::new(vec![
            tier(new, None, 2_500_000),
            tier(new, Some(200_000), 1_250_000),
            tier(old, Some(100), 7),
        ]);
        let of = |day, tokens| table.of("small", day, tokens).map(|p| p.input);
        assert_eq!(of(new, 200_000), Some(1_250_000));
        assert_eq!(of(new, 200_001), Some(2_500_000));
        assert_eq!(of(old, 101), Some(7), "beyond every tier it costs what the largest does");
    }

    #[test]
    fn rows_of_the_first_version_are_still_read() {
        let row = r#"[{"model":"m","effective_from":"2026-01-01","input":1,"cached":1,"output":1,"source":"s"}]"#;
        let table: PriceTable = serde_json::from_str(row).unwrap();
        let price = table.of("m", date(2026, 1, 1), u32::MAX).unwrap();
        assert_eq!((price.tier_upto, price.batch_percent), (None, 100));
    }
}
