//! The checks, by name.

use serde::{Serialize, Serializer};

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        /// What is looked at. Its id stands in reports, and is the anchor of its section in docs/DOCTOR.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Check { $($(#[$doc])* $name,)* }

        impl Check {
            /// All of them, in the order of a report.
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            pub(super) const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

checks! {
    /// Every setting can be used.
    Configuration = "configuration";
    /// A lease is at least three heartbeats, and outlasts a statement.
    Lease = "lease";
    /// Connections that leave this machine are encrypted.
    Tls = "tls";
    /// Cities can reach who asks them.
    Contact = "contact";
    /// Hosts whose certificates are not verified.
    TlsExceptions = "tls-exceptions";
    /// Every model that is asked has a price, of this year.
    ModelPrices = "model-prices";
    /// The database answers and lets us in.
    Database = "database";
    /// PostgreSQL is new enough.
    DatabaseVersion = "database-version";
    /// The schema is this binary's.
    Schema = "schema";
    /// Tables are found, and only one schema's.
    SearchPath = "search-path";
    /// The account may do what its role does.
    DatabaseRights = "database-rights";
    /// Process and database agree about the time.
    Clock = "clock";
    /// A commit survives a power cut.
    Durability = "durability";
    /// The server's limit of connections holds the fleet.
    DatabaseConnections = "database-connections";
    /// Nothing holds back vacuum.
    LongTransactions = "long-transactions";
    /// The server's time-outs don't cut what Docket does.
    DatabaseTimeouts = "database-timeouts";
    /// The broker answers and lets us in.
    Broker = "broker";
    /// RabbitMQ is of a version that is known.
    BrokerVersion = "broker-version";
    /// A silent broker is noticed in time.
    BrokerHeartbeat = "broker-heartbeat";
    /// The exchanges and queues are there, and of the right kind.
    Topology = "topology";
    /// The policies are there: dead-lettering and limits.
    Policies = "policies";
    /// Every queue is bound, and nothing foreign.
    Bindings = "bindings";
    /// The account may do what its role does.
    BrokerRights = "broker-rights";
    /// The management API answers, where one is named.
    Management = "management";
    /// No alarm holds publishers back.
    Alarms = "alarms";
    /// What quorum queues need is switched on.
    FeatureFlags = "feature-flags";
    /// The broker gives a delivery the time that Docket counts on.
    ConsumerTimeout = "consumer-timeout";
    /// The endpoint's address is free.
    Address = "address";
    /// The programs that read documents are there.
    Poppler = "poppler";
    /// The program that reads images of pages is there, where it is to be used.
    Ocr = "ocr";
    /// Files may be opened as needed.
    FileLimit = "file-limit";
    /// There is room for temporary files and private data.
    DiskSpace = "disk-space";
    /// The cities' time zones are known.
    TimeZones = "time-zones";
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl Check {
    /// Where its section is.
    pub(super) fn link(self) -> String {
        format!("docs/DOCTOR.md#{}", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_section_and_every_section_its_check() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/DOCTOR.md");
        let text = std::fs::read_to_string(path).expect("docs/DOCTOR.md");
        let (_, sections) = text.split_once("\n## Checks\n").expect("a part with the checks");
        let headings: Vec<&str> = sections.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let ids: Vec<&str> = Check::ALL.iter().map(|check| check.id()).collect();
        assert_eq!(headings, ids, "docs/DOCTOR.md has a section ### for each check, in the order of a report");
        for section in sections.split("\n### ").skip(1) {
            assert!(section.trim().lines().count() >= 3, "a section says something: {section}");
        }
    }
}
