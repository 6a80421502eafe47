//! The drills that there are.

use clap::ValueEnum;
use serde::Serialize;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Drill {
    /// A worker is killed with its jobs
    WorkerKill,
    /// The broker stops and comes back
    BrokerRestart,
    /// The broker loses all it had
    BrokerWipe,
    /// The database answers late, then not at all, then again
    SlowDb,
    /// Jobs that always fail, and one that kills its worker
    Poison,
    /// Runs of two minutes
    SlowJobs,
    /// A vendor's sites are away
    VendorDown,
    /// The language model answers 429
    #[value(name = "llm-429")]
    #[serde(rename = "llm-429")]
    Llm429,
    /// 20,000 jobs at once
    Flood,
}

impl Drill {
    /// Every drill.
    pub const ALL: [Self; 9] = [
        Self::WorkerKill,
        Self::BrokerRestart,
        Self::BrokerWipe,
        Self::SlowDb,
        Self::Poison,
        Self::SlowJobs,
        Self::VendorDown,
        Self::Llm429,
        Self::Flood,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkerKill => "worker-kill",
            Self::BrokerRestart => "broker-restart",
            Self::BrokerWipe => "broker-wipe",
            Self::SlowDb => "slow-db",
            Self::Poison => "poison",
            Self::SlowJobs => "slow-jobs",
            Self::VendorDown => "vendor-down",
            Self::Llm429 => "llm-429",
            Self::Flood => "flood",
        }
    }

    /// Alerts that must arrive, besides the watchdog.
    #[must_use]
    pub const fn alerts(self) -> &'static [&'static str] {
        match self {
            Self::WorkerKill => &["DocketTargetDown", "DocketWorkersLost"],
            Self::BrokerRestart | Self::BrokerWipe => &["DocketBrokerDown"],
            Self::Poison => &["DocketDeadLettersHigh", "DocketErrorRateHigh", "DocketErrorBudgetBurnFast"],
            Self::SlowJobs => &["DocketProcessingSlow"],
            Self::VendorDown => &["DocketBreakerOpen"],
            Self::Llm429 => &["DocketErrorRateHigh"],
            // What is over before a rule would have held wakes nobody; drills, whose rules hold for a second, can't tell that of
            // a slow database.
            Self::SlowDb | Self::Flood => &[],
        }
    }

    /// There is something to do for an operator: all others heal by themselves.
    #[must_use]
    pub const fn has_work(self) -> bool {
        matches!(self, Self::WorkerKill | Self::Poison | Self::VendorDown | Self::Llm429)
    }

    /// Runs jobs of the domain, and not those made for drills.
    pub(super) const fn is_civic(self) -> bool {
        matches!(self, Self::VendorDown | Self::Llm429)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drill_has_one_name() {
        assert_eq!(Drill::ALL.as_slice(), Drill::value_variants());
        for drill in Drill::ALL {
            assert_eq!(drill.to_possible_value().unwrap().get_name(), drill.as_str());
            assert_eq!(serde_json::to_value(drill).unwrap(), drill.as_str());
        }
    }
}
