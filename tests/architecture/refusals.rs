//! Code that each rule must refuse, and code that looks like it and must pass.

use crate::{paths::paths, rules::RULES, source::Source};

/// (rule, file, code)
const REFUSED: &[(&str, &str, &str)] = &[
    ("layers", "src/fleet/worker/run.rs", "use crate::civic::model;"),
    ("layers", "src/fleet/worker/run.rs", "use crate::{db, http::serve};"),
    ("layers", "src/fleet/worker/run.rs", "fn f() { crate::config::load() }"),
    ("layers", "src/fleet/enqueue.rs", "use super::super::dev;"),
    ("layers", "src/fleet/job/id.rs", "use super::{super::super::cli};"),
    ("layers", "src/fleet/mod.rs", "mod inner { use super::super::dev; }"),
    ("layers", "src/fleet/mod.rs", "use docket::civic;"),
    ("layers", "src/fleet/mod.rs", "use crate::*;"),
    ("layers", "src/fleet/mod.rs", "use crate as all;"),
    ("layers", "src/http/server.rs", "use crate::{fleet::job, dev::{Services}};"),
    ("layers", "src/http/mod.rs", "use crate::config::Environment;"),
    ("layers", "src/db/pool.rs", "pub use crate::fleet;"),
    ("layers", "src/telemetry/trace.rs", "use crate::db::Pool;"),
    ("layers", "src/helpers/mod.rs", ""),
    ("broker", "src/fleet/worker/run.rs", "use lapin::Channel;"),
    ("broker", "src/http/health.rs", "fn f(c: &lapin::Connection) {}"),
    ("pure", "src/fleet/job/id.rs", "use tokio::sync::Mutex;"),
    ("pure", "src/fleet/job/new.rs", "fn f() { jiff::Timestamp::now(); }"),
    ("pure", "src/fleet/retry/mod.rs", "use std::{time::{Duration, SystemTime}};"),
    ("pure", "src/fleet/retry/mod.rs", "use std::{fmt, fs};"),
    ("pure", "src/civic/agenda/lines.rs", "use std::{fmt, fs};"),
    ("pure", "src/fleet/breaker/state.rs", "fn f() { jiff::Timestamp::now(); }"),
    ("ports", "src/fleet/ports/ledger.rs", "use crate::fleet::ledger::PgLedger;"),
    ("ports", "src/fleet/scheduler/run.rs", "use super::super::ledger::operate;"),
    ("ports", "src/fleet/worker/run.rs", "fn f(e: tokio_postgres::Error) {}"),
    ("ports", "src/fleet/dead_letter/judge.rs", "use crate::fleet::{broker::Topology, ports};"),
    ("parts", "src/fleet/ledger/pg.rs", "use super::super::broker;"),
    ("parts", "src/fleet/broker/amqp.rs", "use crate::fleet::{ledger, ports};"),
    ("unwrap", "src/http/server.rs", "fn f() { g()\n    .unwrap(); }"),
    ("unwrap", "src/http/server.rs", "#[cfg(test)] mod tests { fn g() {} } fn f() { g().unwrap() }"),
    ("clock", "src/http/server.rs", "use std::{time::{Duration, Instant}};"),
    ("clock", "src/http/server.rs", "use std::time; fn f() { time::Instant::now(); }"),
    ("clock", "tests/it/main.rs", "fn f() { std::thread::sleep(d) }"),
    ("suppressions", "src/http/server.rs", "#[allow(dead_code, reason = \"it is fine\")] fn f() {}"),
    ("suppressions", "src/http/server.rs", "#![allow(missing_docs)]"),
    ("suppressions", "src/http/server.rs", "#[cfg_attr(test, allow(dead_code))] fn f() {}"),
    ("suppressions", "src/http/server.rs", "#[expect(dead_code)] fn f() {}"),
];

const ACCEPTED: &[(&str, &str)] = &[
    ("src/fleet/worker/run.rs", "//! As [`PgLedger`](crate::fleet::ledger::PgLedger) and `lapin` do.\nuse crate::db;"),
    ("src/fleet/worker/run.rs", "/* crate::civic /* nested */ lapin */ use super::shared; use tokio::time::Instant;"),
    (
        "src/fleet/worker/run.rs",
        r##"const A: &str = "crate::civic \" lapin"; const B: &str = r#"lapin "x" .unwrap()"#;"##,
    ),
    ("src/fleet/worker/run.rs", "fn f<'a>(x: &'a str) -> char { let _ = '\"'; '\\'' } // lapin"),
    ("src/fleet/mod.rs", "mod inner { use super::job; fn f() {} } use self::job::Status;"),
    ("src/fleet/broker/amqp.rs", "use lapin::{Channel, options::BasicAckOptions};"),
    ("src/fleet/retry/mod.rs", "use std::time::Duration; #[cfg(test)] mod tests { fn f() { g().unwrap(); } }"),
    ("src/http/server.rs", "#[cfg(test)] use x::y; #[cfg(test)] mod tests; fn f() -> i32 { g().unwrap_or(1) }"),
    ("src/http/server.rs", "#[expect(dead_code, reason = \"later\")] fn f() {} use crate::{fleet, http::serve};"),
    ("src/cli/mod.rs", "use crate::{config, dev, fleet::{broker, ledger}, telemetry};"),
    ("tests/it/main.rs", "use docket::fleet; fn f() { g().unwrap(); }"),
];

fn refusing(source: &Source) -> Vec<(&'static str, String)> {
    RULES.iter().flat_map(|(name, rule)| rule(source).into_iter().map(|fault| (*name, fault))).collect()
}

#[test]
fn bad_code_is_refused_by_its_rule() {
    for (rule, path, code) in REFUSED {
        let faults = refusing(&Source::new(path, code));
        assert!(faults.iter().any(|(name, _)| name == rule), "{rule} lets pass in {path}: {code}; others: {faults:?}");
    }
    let long = Source::new("src/http/server.rs", &"\n".repeat(401));
    assert!(refusing(&long).iter().any(|(name, _)| *name == "length"));
}

#[test]
fn every_rule_has_code_that_it_refuses() {
    for (name, _) in RULES {
        assert!(*name == "length" || REFUSED.iter().any(|(rule, _, _)| rule == name), "{name} was never seen to fail");
    }
}

#[test]
fn good_code_passes() {
    for (path, code) in ACCEPTED {
        let faults = refusing(&Source::new(path, code));
        assert!(faults.is_empty(), "{path}: {code}: {faults:?}");
    }
}

#[test]
fn paths_are_spelled_out() {
    let code = "use super::{a::{self, B as C}, super::d::*}; fn f() -> self::E<crate::g::H> { i::j() }";
    let found: Vec<String> = paths(&Source::new("src/fleet/job/id.rs", code)).iter().map(|p| p.join("::")).collect();
    for path in [
        "crate::fleet::job::a::self",
        "crate::fleet::job::a::B",
        "crate::fleet::d::*",
        "crate::fleet::job::id::E",
        "crate::g::H",
        "i::j",
    ] {
        assert!(found.iter().any(|found| found == path), "{path} is not in {found:?}");
    }
}
