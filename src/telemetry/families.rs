//! The table of all metric families: what each means, its labels, its buckets, and who exports it.

mod document;
mod table;

pub use document::document;
pub use table::FAMILIES;

use metrics::Unit;

/// Roles that a family is exported by. Queue gauges come from one owner, so that N exporters do not multiply them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Every process.
    Every,
    /// Schedulers.
    Scheduler,
    /// Workers.
    Worker,
    /// The one process that holds the gauges' lock.
    OneProcess,
}

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// Only grows.
    Counter,
    /// Goes both ways.
    Gauge,
    /// Explicit buckets: without them the exporter would make a summary, which can't be added up over processes.
    Histogram(&'static [f64]),
}

/// Which values a label can have. Never a job id, a URL or an error text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// These.
    Closed(&'static [&'static str]),
    /// A set that is closed when the process starts, by this name: kinds, lanes, components, vendors, models.
    AtStart(&'static str),
    /// Not known at start, but bounded: by what, and how many there are at most.
    Bounded(&'static str, u32),
}

/// A label of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub values: Values,
}

/// A metric family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Family {
    /// Full Prometheus name, as recorded.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Type,
    /// Its unit; the name ends with it.
    pub unit: Option<Unit>,
    /// Its labels.
    pub labels: &'static [Label],
    /// For people, in `# HELP`.
    pub help: &'static str,
    /// Who exports it.
    pub owner: Owner,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_has_one_family() {
        let source = include_str!("names.rs");
        let declared: HashSet<&str> = source
            .lines()
            .filter(|line| line.starts_with("pub const"))
            .filter_map(|line| line.split('"').nth(1))
            .collect();
        let listed: Vec<&str> = FAMILIES.iter().map(|f| f.name).collect();
        assert_eq!(listed.len(), declared.len());
        assert_eq!(listed.into_iter().collect::<HashSet<_>>(), declared);
    }

    #[test]
    fn names_tell_type_and_unit() {
        for family in FAMILIES {
            let name = family.name;
            assert!(name.starts_with("docket_"), "{name}");
            assert_eq!(name.ends_with("_total"), family.kind == Type::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), family.unit == Some(Unit::Seconds), "{name}");
            assert!(!family.help.is_empty() && !family.help.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn attempts_are_counted_under_every_outcome_that_they_are_logged_with() {
        let family = FAMILIES.iter().find(|f| f.name == super::super::names::JOBS_PROCESSED).expect("listed");
        let Values::Closed(listed) = family.labels[1].values else { panic!("the set is closed") };
        let outcomes = super::super::AttemptOutcome::ALL.map(|outcome| outcome.as_str());
        assert_eq!(listed.iter().collect::<HashSet<_>>(), outcomes.iter().collect());
    }

    #[test]
    fn buckets_grow_and_the_120_s_line_is_a_boundary() {
        for family in FAMILIES {
            if let Type::Histogram(buckets) = family.kind {
                assert!(buckets.windows(2).all(|w| w[0] < w[1]), "{}", family.name);
            }
        }
        let jobs = FAMILIES.iter().find(|f| f.name == super::super::names::PROCESSING_DURATION).expect("listed");
        let Type::Histogram(buckets) = jobs.kind else { panic!("not a histogram") };
        assert!(buckets.contains(&120.0), "an alert asks for a p95 over 120 s");
        assert_eq!(buckets.last(), Some(&1800.0));
    }
}
