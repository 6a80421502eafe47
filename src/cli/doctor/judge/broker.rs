//! RabbitMQ, as far as AMQP tells.

use super::super::{
    check::Check,
    facts::{Broker, Service, Settings},
    finding::Finding,
};
use crate::fleet::broker::TopologyFault;

/// Seconds. Below, a busy machine loses its connection; above, a silent broker goes unnoticed for twice as long.
const HEARTBEAT: std::ops::RangeInclusive<u16> = 3..=30;

/// Where the management API answers too, it tells more of the topology.
pub(super) fn judge(broker: &Service<Broker>, settings: &Settings, is_managed: bool) -> Vec<Finding> {
    match broker {
        Service::Unnamed if !settings.has_broker => {
            vec![Finding::ok(Check::Broker, "this site has none: workers take their jobs from the database")]
        }
        Service::Unnamed => vec![Finding::fault(
            Check::Broker,
            "AMQP_URL names no broker: nothing of it could be looked at",
            "set AMQP_URL, or AMQP_URL_FILE, or say AMQP_URL=none to work without a broker",
        )],
        Service::Failed(failure) => {
            let finding = Finding::fault(
                Check::Broker,
                failure.to_string(),
                "check host, port, user, password and virtual host of AMQP_URL, and that RabbitMQ runs there",
            );
            vec![if failure.is_unavailable() { finding.away() } else { finding }]
        }
        Service::Answers(facts) => {
            let who = settings
                .account
                .as_ref()
                .map(|account| format!("RabbitMQ answers {:?} in virtual host {:?}", account.user, account.vhost));
            let mut findings = vec![
                Finding::ok(Check::Broker, who.unwrap_or_else(|| "RabbitMQ answers".to_owned())),
                heartbeat(facts),
            ];
            if !is_managed {
                findings.extend(topology(facts));
            }
            findings
        }
    }
}

fn heartbeat(facts: &Broker) -> Finding {
    let check = Check::BrokerHeartbeat;
    let seconds = match &facts.heartbeat {
        Ok(seconds) => *seconds,
        Err(why) => return Finding::unknown(check, why),
    };
    let fix = "set heartbeat = 10 in rabbitmq.conf, and ?heartbeat=10 in AMQP_URL if it names one";
    match seconds {
        0 => Finding::fault(check, "none was agreed on: a silent broker would never be noticed", fix),
        seconds if HEARTBEAT.contains(&seconds) => {
            Finding::ok(check, format!("{seconds} s: a silent broker is noticed within {} s", 2 * seconds))
        }
        seconds if seconds < *HEARTBEAT.start() => {
            Finding::warning(check, format!("{seconds} s: a busy machine would lose its connection"), fix)
        }
        seconds => {
            let late = u32::from(seconds) * 2;
            Finding::warning(check, format!("{seconds} s: a silent broker goes unnoticed for {late} s"), fix)
        }
    }
}

fn topology(facts: &Broker) -> Vec<Finding> {
    match &facts.topology {
        Ok(()) => vec![Finding::ok(Check::Topology, "the exchanges and queues of every lane are there")],
        Err(faults) => faults.iter().map(fault).collect(),
    }
}

fn fault(fault: &TopologyFault) -> Finding {
    let check = Check::Topology;
    match fault {
        TopologyFault::Missing { .. } => Finding::fault(
            check,
            fault.to_string(),
            "run docket topology apply, or import what docket topology export prints",
        ),
        TopologyFault::Mismatch { what, .. } => {
            let fix = format!("drain {what}, delete it, then run docket topology apply: arguments can't be changed");
            Finding::fault(check, fault.to_string(), fix)
        }
        TopologyFault::Unchecked { what, error } => Finding::unknown(check, &format!("{what}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::cli::{doctor::finding::Level, exit::Failure};

    fn find(change: impl FnOnce(&mut Broker), check: Check) -> Finding {
        let mut facts = healthy::broker();
        change(&mut facts);
        let findings = judge(&Service::Answers(facts), &healthy::settings(), false);
        findings.into_iter().find(|finding| finding.check == check).expect("looked at")
    }

    #[test]
    fn away_and_refusing_are_told_apart() {
        let of = |failure| judge(&Service::Failed(failure), &healthy::settings(), false).remove(0);
        assert!(of(Failure::unavailable("no answer")).is_away);
        assert!(!of(Failure::usage("refuses the user")).is_away);
        assert_eq!(judge(&Service::Unnamed, &healthy::settings(), false)[0].level, Level::Fault);
        let none = Settings { has_broker: false, ..healthy::settings() };
        assert_eq!(judge(&Service::Unnamed, &none, false)[0].level, Level::Ok);
    }

    #[test]
    fn heartbeats() {
        for (seconds, level) in [
            (0, Level::Fault),
            (1, Level::Warning),
            (3, Level::Ok),
            (30, Level::Ok),
            (60, Level::Warning),
            (u16::MAX, Level::Warning),
        ] {
            assert_eq!(find(|facts| facts.heartbeat = Ok(seconds), Check::BrokerHeartbeat).level, level, "{seconds}");
        }
    }

    #[test]
    fn what_is_missing_or_different_says_what_to_do() {
        let missing = vec![TopologyFault::Missing { what: "queue docket.default.high".to_owned() }];
        let finding = find(|facts| facts.topology = Err(missing), Check::Topology);
        assert!(finding.level == Level::Fault && finding.fix.unwrap().contains("topology apply"));
        let other = TopologyFault::Mismatch { what: "queue docket.dead".to_owned(), detail: "classic".to_owned() };
        let finding = find(|facts| facts.topology = Err(vec![other]), Check::Topology);
        assert!(finding.level == Level::Fault && finding.fix.unwrap().contains("delete it"));
        let unchecked = TopologyFault::Unchecked { what: "queue x".to_owned(), error: "late".to_owned() };
        assert_eq!(find(|facts| facts.topology = Err(vec![unchecked]), Check::Topology).level, Level::Warning);
    }
}
