//! What may be spent. Pure: standings in, a decision out.

use super::MicroUsd;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Jobs that waited for a reset come back within so long of it, not all at once.
const JITTER: Duration = Duration::from_mins(5);
/// Most budgets: each call looks at all of them.
const MAX_BUDGETS: usize = 1_000;

/// Whose money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of it.
    Total,
    /// What a city's meetings cost.
    City,
    /// What a model costs.
    Model,
}

/// For how long. By the calendar of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Until midnight.
    Day,
    /// Until the first of the next month.
    Month,
}

impl Period {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// The name in the database, and the metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Its first day.
    #[must_use]
    pub fn start(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Month => day.first_of_month(),
        }
    }

    /// When it ends.
    #[must_use]
    pub fn reset(self, now: Timestamp) -> Timestamp {
        let start = self.start(now.to_zoned(TimeZone::UTC).date());
        let step = match self {
            Self::Day => 1.day(),
            Self::Month => 1.month(),
        };
        let end = start.checked_add(step).and_then(|end| end.to_zoned(TimeZone::UTC));
        end.map_or(Timestamp::MAX, |end| end.timestamp())
    }

    /// How long a job waits for the end, with its share of the jitter. `random` is uniform in 0..1.
    #[must_use]
    pub fn wait(self, now: Timestamp, random: f64) -> Duration {
        until(self.reset(now), now, random)
    }
}

/// How long it is until `then`, with a share of the jitter.
#[must_use]
pub fn until(then: Timestamp, now: Timestamp, random: f64) -> Duration {
    let wait = Duration::try_from(then.duration_since(now)).unwrap_or_default();
    wait.saturating_add(JITTER.mul_f64(random.clamp(0.0, 1.0)))
}

/// The next midnight in a zone: when a provider's quota of the day is there again.
#[must_use]
pub fn next_midnight(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let tomorrow = now.to_zoned(zone.clone()).date().tomorrow();
    let midnight = tomorrow.and_then(|day| day.to_zoned(zone.clone()));
    // At the end of all calendars there is no tomorrow.
    midnight.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Whose money.
    pub scope: Scope,
    /// Which city or model; none: each of them has this limit of its own.
    #[serde(default)]
    pub name: Option<String>,
    /// For how long.
    pub period: Period,
    /// Micro-dollars; 0 lets nothing be spent.
    pub limit_micro_usd: MicroUsd,
}

impl Budget {
    fn applies(&self, call: &Account<'_>) -> bool {
        let named = |name: &str| self.name.as_deref().is_none_or(|own| own == name);
        match self.scope {
            Scope::Total => true,
            Scope::City => named(call.city),
            Scope::Model => named(call.model),
        }
    }
}

/// All limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets(Vec<Budget>);

impl Budgets {
    /// These limits, in any order.
    ///
    /// # Errors
    /// In words, when one contradicts itself or another.
    pub fn new(list: Vec<Budget>) -> Result<Self, String> {
        if list.len() > MAX_BUDGETS {
            return Err(format!("{} budgets, at most {MAX_BUDGETS}", list.len()));
        }
        let mut seen = std::collections::HashSet::new();
        for budget in &list {
            if budget.scope == Scope::Total && budget.name.is_some() {
                return Err("a budget of scope total has a name: leave it out, or say city or model".to_owned());
            }
            if !seen.insert((budget.scope, &budget.name, budget.period)) {
                let (scope, name) = (budget.scope, budget.name.as_deref().unwrap_or("each"));
                return Err(format!("two budgets for {scope:?} {name}, {}: keep one", budget.period.as_str()));
            }
        }
        Ok(Self(list))
    }

    /// The limits.
    #[must_use]
    pub fn list(&self) -> &[Budget] {
        &self.0
    }
}

/// Who pays for a call.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The city's short name.
    pub city: &'a str,
    /// The model.
    pub model: &'a str,
}

impl Account<'_> {
    /// The name of the account of a scope, as the database has it.
    #[must_use]
    pub fn of(&self, scope: Scope) -> String {
        match scope {
            Scope::Total => "total".to_owned(),
            Scope::City => format!("city:{}", self.city),
            Scope::Model => format!("model:{}", self.model),
        }
    }
}

/// How an account stands, in micro-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What calls have cost in the period.
    pub spent: MicroUsd,
    /// What calls that are under way may cost.
    pub reserved: MicroUsd,
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Yes.
    Go,
    /// Calls that are under way may use up what is left; when they have ended, there is an answer.
    Wait,
    /// No, until the period ends.
    Spent(Period),
    /// Never: it may cost more than a whole budget.
    TooDear(MicroUsd),
}

/// Decides on a call that may cost `worst`. The gravest word of any budget counts.
#[must_use]
pub fn decide(
    budgets: &Budgets,
    account: &Account<'_>,
    worst: MicroUsd,
    standing: impl Fn(Scope, Period) -> Standing,
) -> Decision {
    let of = |budget: &Budget| {
        let Standing { spent, reserved } = standing(budget.scope, budget.period);
        let limit = budget.limit_micro_usd;
        // Nothing may be spent: that is a switch, and no mistake in a limit.
        if limit == 0 && worst > 0 {
            Decision::Spent(budget.period)
        } else if worst > limit {
            Decision::TooDear(limit)
        } else if spent.saturating_add(worst) > limit {
            Decision::Spent(budget.period)
        } else if spent.saturating_add(reserved).saturating_add(worst) > limit {
            Decision::Wait
        } else {
            Decision::Go
        }
    };
    budgets.0.iter().filter(|budget| budget.applies(account)).map(of).max().unwrap_or(Decision::Go)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn budget(scope: Scope, name: Option<&str>, period: Period, limit_micro_usd: u64) -> Budget {
        Budget { scope, name: name.map(str::to_owned), period, limit_micro_usd }
    }

    #[test]
    fn the_gravest_word_of_any_budget_counts() {
        let budgets = Budgets::new(vec![
            budget(Scope::Total, None, Period::Month, 1_000),
            budget(Scope::City, None, Period::Day, 100),
            budget(Scope::City, Some("metropolis"), Period::Month, 500),
            budget(Scope::Model, Some("large"), Period::Day, 50),
        ])
        .unwrap();
        let ask = |city, model, worst, spent, reserved| {
            decide(&budgets, &Account { city, model }, worst, |_, _| Standing { spent, reserved })
        };
        assert_eq!(ask("a", "small", 100, 0, 0), Decision::Go);
        assert_eq!(ask("a", "small", 60, 0, 41), Decision::Wait);
        assert_eq!(ask("a", "small", 60, 41, 0), Decision::Spent(Period::Day));
        assert_eq!(ask("a", "small", 101, 0, 0), Decision::TooDear(100));
        assert_eq!(ask("a", "large", 51, 0, 0), Decision::TooDear(50));
        let closed = Budgets::new(vec![budget(Scope::Total, None, Period::Month, 0)]).unwrap();
        let account = Account { city: "a", model: "m" };
        assert_eq!(decide(&closed, &account, 1, |_, _| Standing::default()), Decision::Spent(Period::Month));
        assert_eq!(ask("metropolis", "small", 60, 450, 0), Decision::Spent(Period::Month), "the later reset");
        assert_eq!(
            decide(&Budgets::default(), &Account { city: "a", model: "m" }, u64::MAX, |_, _| Standing::default()),
            Decision::Go
        );
    }

    #[test]
    fn contradictions_are_refused() {
        let day = |scope, name| budget(scope, name, Period::Day, 1);
        assert!(Budgets::new(vec![day(Scope::Total, Some("x"))]).is_err());
        assert!(Budgets::new(vec![day(Scope::City, None), day(Scope::City, None)]).unwrap_err().contains("each"));
        assert!(Budgets::new(vec![day(Scope::City, None), day(Scope::City, Some("a"))]).is_ok());
        let text = r#"[{"scope":"total","period":"day","limit_micro_usd":5000000,"limit":1}]"#;
        assert!(serde_json::from_str::<Vec<Budget>>(text).is_err(), "what is misspelled is no limit");
    }

    #[test]
    fn periods_end_at_midnight_and_on_the_first() {
        let now: Timestamp = "2026-12-31T23:59:00Z".parse().unwrap();
        let new_year: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(Period::ALL.map(|period| period.reset(now)), [new_year; 2]);
        assert_eq!(Period::Day.wait(now, 0.0).as_secs(), 60);
        assert_eq!(Period::Day.wait(now, 1.0).as_secs(), 360);
        let leap: Timestamp = "2028-02-10T05:00:00Z".parse().unwrap();
        assert_eq!(Period::Month.reset(leap), "2028-03-01T00:00:00Z".parse().unwrap());
        // The quota of the day is there again at midnight in California: eight hours after UTC's, seven in summer.
        let pacific = TimeZone::get("America/Los_Angeles").unwrap();
        for (now, reset) in [
            ("2026-01-15T07:00:00Z", "2026-01-15T08:00:00Z"),
            ("2026-07-15T08:00:00Z", "2026-07-16T07:00:00Z"),
            ("2026-03-08T20:00:00Z", "2026-03-09T07:00:00Z"),
        ] {
            assert_eq!(next_midnight(now.parse().unwrap(), &pacific), reset.parse().unwrap());
        }
    }

    proptest! {
        #[test]
        fn whoever_goes_stays_within_the_limit(limit in 0..1000_u64, worst in 0..1000_u64, spent in 0..1000_u64, reserved in 0..1000_u64) {
            let budgets = Budgets::new(vec![budget(Scope::Total, None, Period::Day, limit)]).unwrap();
            let decision = decide(&budgets, &Account { city: "a", model: "m" }, worst, |_, _| Standing { spent, reserved });
            prop_assert_eq!(decision == Decision::Go, spent + reserved + worst <= limit);
            // Who waits may go when what is reserved has cost nothing.
            if decision == Decision::Wait { prop_assert!(spent + worst <= limit && reserved > 0); }
        }
    }
}
