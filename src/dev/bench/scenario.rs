//! The kinds of measurement.

use serde::Serialize;
use std::fmt;

/// One kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// A backlog that was committed at once, until the last of its jobs is completed.
    Drain,
    /// Jobs into the ledger, 1,000 a transaction, while nothing takes them out.
    Enqueue,
    /// Both at once, for a while: jobs are enqueued as fast as the fleet completes them.
    Mixed,
    /// 200 jobs a second that come at random, each in a transaction of its own: from the commit to the handler's start.
    Latency,
    /// The same for some urgent jobs, while all slots are busy with a large backlog of others.
    Urgent,
    /// The rate of completions beside a deep backlog, and beside a long history.
    Backlog,
    /// Jobs that wait for something: how well the slots are used.
    Sleep,
    /// Jobs of which three in ten fail at their first attempt.
    Retry,
    /// Jobs that write a row with their completion, compared with plain transactions that write the row alone.
    Effects,
    /// The backlog at a site without a broker: workers lease from the ledger.
    Direct,
    /// The text of PDFs, compared with a plain loop over the same files.
    Documents,
    /// The meetings of a made-up city, until all their items are stored.
    City,
    /// The same, until all their documents are read and all items have a summary, picked without a model.
    Summaries,
}

impl Scenario {
    /// All of them: first those that take seconds.
    pub const ALL: [Self; 13] = [
        Self::Drain,
        Self::Enqueue,
        Self::Mixed,
        Self::Latency,
        Self::Urgent,
        Self::Sleep,
        Self::Retry,
        Self::Effects,
        Self::Direct,
        Self::Backlog,
        Self::Documents,
        Self::City,
        Self::Summaries,
    ];

    /// Those that are run when none is named: all that take seconds.
    pub const USUAL: &[Self] = Self::ALL.split_at(9).0;

    /// Whether it has a fleet, and its fleet a broker.
    pub(super) const fn has_broker(self) -> bool {
        !matches!(self, Self::Direct | Self::Enqueue)
    }

    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Enqueue => "enqueue",
            Self::Mixed => "mixed",
            Self::Latency => "latency",
            Self::Urgent => "urgent",
            Self::Backlog => "backlog",
            Self::Sleep => "sleep",
            Self::Retry => "retry",
            Self::Effects => "effects",
            Self::Direct => "direct",
            Self::Documents => "documents",
            Self::City => "city",
            Self::Summaries => "summaries",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn one_name_on_the_command_line_and_in_json() {
        assert_eq!(Scenario::value_variants().len(), Scenario::ALL.len());
        for scenario in Scenario::ALL {
            assert!(Scenario::value_variants().contains(&scenario));
            assert_eq!(serde_json::to_value(scenario).unwrap(), scenario.as_str());
            assert_eq!(scenario.to_possible_value().unwrap().get_name(), scenario.as_str());
        }
        assert!(Scenario::USUAL.iter().all(|scenario| Scenario::ALL.contains(scenario)));
    }
}
