//! Database: clock, durability, connections, what holds others up.

use super::super::{
    super::role,
    check::Check,
    facts::{Clock, Database, Seen, Server, Transactions},
    finding::Finding,
};

/// Seconds that the clocks may differ: schedules and backoff follow the database's clock, logs the process's.
const CLOCK: f64 = 5.0;
/// Above this share of connections in use, the next deployment may find none.
const CROWDED_PERCENT: i64 = 90;
/// Docket's pools keep connections open as long as they like; the shortest look at one is each heartbeat's.
const IDLE_LEAST_MS: i64 = 600_000;
/// Bounds that the server may set below Docket's own deadline of a statement.
const TRANSACTION_LEAST_MS: i64 = 60_000;

pub(super) fn judge(facts: &Database) -> Vec<Finding> {
    let mut findings = vec![
        of(Check::Clock, &facts.clock, clock),
        of(Check::Durability, &facts.server, durability),
        of(Check::DatabaseConnections, &facts.server, connections),
        of(Check::DatabaseTimeouts, &facts.server, timeouts),
    ];
    findings.push(of(Check::LongTransactions, &facts.transactions, transactions));
    findings
}

fn of<T>(check: Check, seen: &Seen<T>, judge: fn(&T) -> Finding) -> Finding {
    seen.as_ref().map_or_else(|why| Finding::unknown(check, why), judge)
}

/// What the round trip leaves open is not held against anyone.
fn clock(clock: &Clock) -> Finding {
    let (apart, uncertain) = (clock.ahead.abs(), clock.uncertain);
    let direction = if clock.ahead >= 0.0 { "ahead of" } else { "behind" };
    let seen = format!("the database is {apart:.1} s {direction} this process, give or take {uncertain:.1} s");
    if apart - uncertain > CLOCK {
        let fix = "set the clocks by NTP (timedatectl set-ntp true), on this machine and on the database's";
        return Finding::warning(Check::Clock, seen, fix);
    }
    Finding::ok(Check::Clock, seen)
}

fn durability(server: &Server) -> Finding {
    let mut off = Vec::new();
    if !server.fsync {
        off.push("fsync = off");
    }
    if !server.full_page_writes {
        off.push("full_page_writes = off");
    }
    if server.synchronous_commit == "off" {
        off.push("synchronous_commit = off");
    }
    if off.is_empty() {
        return Finding::ok(Check::Durability, format!("synchronous_commit = {}", server.synchronous_commit));
    }
    let fix = "set it on: a power cut would take jobs back that were reported as done";
    Finding::warning(Check::Durability, off.join(", "), fix)
}

fn connections(server: &Server) -> Finding {
    let (check, max, used) = (Check::DatabaseConnections, server.connections_max, server.connections_used);
    let each = i64::try_from(role::connections()).unwrap_or(i64::MAX);
    let need = (server.registered + 1).saturating_mul(each);
    let seen = format!(
        "{max} allowed, {used} in use; {} registered schedulers and workers, and one more, may open {need}",
        server.registered
    );
    if used.saturating_mul(100) >= max.saturating_mul(CROWDED_PERCENT) || need > max {
        let fix = format!("raise max_connections ({each} for each process), or run fewer processes with more slots");
        return Finding::warning(check, seen, fix);
    }
    Finding::ok(check, seen)
}

fn timeouts(server: &Server) -> Finding {
    let mut bad = Vec::new();
    if server.idle_session_timeout > 0 && server.idle_session_timeout < IDLE_LEAST_MS {
        bad.push(format!("idle_session_timeout = {} ms", server.idle_session_timeout));
    }
    if server.transaction_timeout > 0 && server.transaction_timeout < TRANSACTION_LEAST_MS {
        bad.push(format!("transaction_timeout = {} ms", server.transaction_timeout));
    }
    if server.lock_timeout > 0 && server.lock_timeout < 1000 {
        bad.push(format!("lock_timeout = {} ms", server.lock_timeout));
    }
    if bad.is_empty() {
        return Finding::ok(Check::DatabaseTimeouts, "none that cuts what Docket does");
    }
    let fix = "alter role … reset it for Docket's account: Docket sets deadlines of its own, and keeps its connections";
    Finding::warning(Check::DatabaseTimeouts, bad.join(", "), fix)
}

fn transactions(open: &Transactions) -> Finding {
    if open.count == 0 {
        return Finding::ok(Check::LongTransactions, "none is open for five minutes");
    }
    let minutes = open.oldest_seconds / 60;
    Finding::note(
        Check::LongTransactions,
        format!(
            "{} open for five minutes and more, {} of them idle; the oldest for {minutes} min, of {}",
            open.count, open.idle, open.oldest_of
        ),
        "end what was forgotten (pg_terminate_backend): vacuum can't clean up behind it, and the queue grows",
    )
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::cli::doctor::finding::Level;

    fn level(change: impl FnOnce(&mut Database), check: Check) -> Level {
        let mut facts = healthy::database();
        change(&mut facts);
        judge(&facts).into_iter().find(|finding| finding.check == check).expect("looked at").level
    }

    #[test]
    fn clocks_may_differ_by_five_seconds_and_the_round_trip() {
        for (ahead, uncertain, expected) in [
            (0.2, 0.1, Level::Ok),
            (5.1, 0.0, Level::Warning),
            (-5.1, 0.0, Level::Warning),
            (6.0, 1.5, Level::Ok),
            (3600.0, 0.5, Level::Warning),
        ] {
            let change = |facts: &mut Database| facts.clock = Ok(Clock { ahead, uncertain });
            assert_eq!(level(change, Check::Clock), expected, "{ahead} ± {uncertain}");
        }
    }

    #[test]
    fn what_a_power_cut_would_take_is_a_warning() {
        let with = |change: fn(&mut Server)| level(|facts| change(facts.server.as_mut().unwrap()), Check::Durability);
        assert_eq!(with(|server| server.fsync = false), Level::Warning);
        assert_eq!(with(|server| server.full_page_writes = false), Level::Warning);
        assert_eq!(with(|server| server.synchronous_commit = "off".into()), Level::Warning);
        assert_eq!(with(|server| server.synchronous_commit = "remote_apply".into()), Level::Ok);
    }

    #[test]
    fn the_fleet_fits_into_the_servers_connections() {
        for (max, used, registered, expected) in [
            (97, 10, 3, Level::Ok),
            (97, 88, 0, Level::Warning),
            (97, 10, 20, Level::Warning),
            (0, 0, 0, Level::Warning),
        ] {
            let change = |facts: &mut Database| {
                let server = facts.server.as_mut().unwrap();
                (server.connections_max, server.connections_used, server.registered) = (max, used, registered);
            };
            assert_eq!(level(change, Check::DatabaseConnections), expected, "{max} {used} {registered}");
        }
    }

    #[test]
    fn time_outs_that_cut_docket_are_named() {
        let with =
            |change: fn(&mut Server)| level(|facts| change(facts.server.as_mut().unwrap()), Check::DatabaseTimeouts);
        assert_eq!(with(|server| server.idle_session_timeout = 60_000), Level::Warning);
        assert_eq!(with(|server| server.transaction_timeout = 5_000), Level::Warning);
        assert_eq!(with(|server| server.lock_timeout = 10), Level::Warning);
        assert_eq!(with(|server| server.lock_timeout = 5_000), Level::Ok);
    }

    #[test]
    fn long_transactions_are_worth_a_note() {
        let open = Transactions { count: 2, oldest_seconds: 7200, idle: 1, oldest_of: "ada (psql)".to_owned() };
        assert_eq!(level(|facts| facts.transactions = Ok(open), Check::LongTransactions), Level::Note);
        assert_eq!(level(|facts| facts.transactions = Err("denied".into()), Check::LongTransactions), Level::Warning);
    }
}
