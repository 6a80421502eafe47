//! What did not go on after a fault, and what did not come to rest at the end.

use crate::dev::chaos::evidence::{End, Evidence, What};

/// Each of them in words.
pub(super) fn stuck(evidence: &Evidence) -> Vec<String> {
    let events = evidence.events.iter().filter(|event| event.event == What::NotRecovered);
    let faults = events.map(|event| {
        let seconds = event.seconds.unwrap_or_default();
        format!("step {}: {seconds:.0} s after {} work had not gone on", event.step, event.class)
    });
    faults.chain(at_the_end(evidence.end)).collect()
}

fn at_the_end(end: End) -> Vec<String> {
    let End { settled_seconds, in_flight, dead_letters, dead_depth } = end;
    let mut left = Vec::new();
    if settled_seconds.is_none() {
        left.push("jobs were still open at the end".to_owned());
    }
    if in_flight > 0 {
        left.push(format!("{in_flight} messages were still in flight at the end"));
    }
    if dead_depth != Some(dead_letters) {
        let depth = dead_depth.map_or_else(|| "an unknown number".to_owned(), |depth| depth.to_string());
        left.push(format!("docket.dead held {depth} of {dead_letters} dead letters at the end"));
    }
    left
}
