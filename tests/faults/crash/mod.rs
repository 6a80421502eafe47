//! A process dies between two steps of the protocol: one test for each place.
//!
//! Each says where, makes the place be passed, sees the process die there, and lets the others go on. What must hold is the
//! same for all: [`Trial::proven`](crate::support::Trial::proven).

mod dead_letter;
mod scheduler;
mod server;
mod worker;

use crate::support::{Trial, died};
use docket::{dev::fleet::Member, fleet::crash::Point};

/// It dies at its point with jobs under way, is started again, and all jobs end.
async fn dies_and_returns(t: &mut Trial, member: &Member) {
    let dead = died(member).await;
    member.start().expect("it starts again");
    t.settled().await;
    t.measure("settled_seconds", dead.elapsed().as_secs_f64());
}

/// A new point is not a promise before it has a test.
#[test]
fn every_point_has_a_test() {
    let sources = [
        include_str!("dead_letter.rs"),
        include_str!("scheduler.rs"),
        include_str!("server.rs"),
        include_str!("worker.rs"),
    ];
    for point in Point::ALL {
        let name = format!("Point::{point:?}");
        assert!(sources.iter().any(|source| source.contains(&name)), "no test lets a process die at {name}");
    }
}
