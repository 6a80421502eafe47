//! A process dies between two steps of the protocol: one test for each place.
//!
//! Each says where, makes the place be passed, sees the process die there, and lets the others go on. What must hold is the
//! same for all: [`Trial::proven`](crate::support::Trial::proven).

mod dead_letter;
mod scheduler;
mod server;
mod worker;

use docket::fleet::crash::Point;

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
