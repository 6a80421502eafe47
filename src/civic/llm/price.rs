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
    /// Micro-dollars for a million input tokens.
    pub input: MicroUsd,
    /// Micro-dollars for a million input tokens that the server had cached.
    pub cached: MicroUsd,
    /// Micro-dollars for a million output tokens.
    pub output: MicroUsd,
    /// Where the price was read.
    pub source: String,
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

    /// The newest price of a model that is in force on `day`.
    #[must_use]
    pub fn of(&self, model: &str, day: Date) -> Option<&Price> {
        self.prices.iter().filter(|p| p.model == model && p.effective_from <= day).max_by_key(|p| p.effective_from)
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
            cached: 30_000,
            output: 2_500_000,
            source: "list".into(),
        }
    }

    #[test]
    fn the_price_of_the_day_counts() {
        let table = PriceTable::new(vec![price(date(2026, 5, 1), 2), price(date(2026, 1, 1), 1)]);
        assert_eq!(table.of("small", date(2026, 4, 30)).map(|p| p.input), Some(1));
        assert_eq!(table.of("small", date(2026, 5, 1)).map(|p| p.input), Some(2));
        assert_eq!(table.of("small", date(2025, 12, 31)), None);
        assert_eq!(table.of("large", date(2026, 5, 1)), None);
    }

    #[test]
    fn cost_is_exact_and_rounds_up() {
        let price = price(date(2026, 1, 1), 300_000);
        // 20,500 tokens in and 300 out at $0.30 and $2.50 a million: $0.0069.
        assert_eq!(price.cost(Usage { input: 20_500, cached: 0, output: 300 }), 6_900);
        assert_eq!(price.cost(Usage { input: 1_000_000, cached: 1_000_000, output: 0 }), 30_000);
        assert_eq!(price.cost(Usage { input: 1, cached: 0, output: 0 }), 1);
        assert_eq!(price.cost(Usage::default()), 0);
        assert_eq!(price.cost(Usage { input: 1, cached: 9, output: 0 }), 1, "more cached than read is a server's slip");
    }
}
