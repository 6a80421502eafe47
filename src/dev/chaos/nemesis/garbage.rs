//! Messages that no scheduler wrote: garbage, forgeries, copies.

use crate::{
    dev::chaos::stage::Stage,
    fleet::{
        broker::{JOBS_EXCHANGE, queue_name},
        job::Band,
    },
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::json;

/// A message under way, with one of its jobs: what a copy of it says.
const UNDER_WAY: &str = "select m.id, j.id, j.epoch from job_messages m join jobs j on j.id = m.jobs[1] \
                         where m.broker_gen is not null order by m.id desc limit 20";

/// Publishes some. A broker that is away takes none, which is no fault of anybody's.
pub(super) async fn scatter(stage: &Stage, random: &mut StdRng, count: usize) {
    let real: Vec<(i64, i64, i32)> = match stage.query(UNDER_WAY, &[]).await {
        Ok(rows) => rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect(),
        Err(_) => Vec::new(),
    };
    let recent = stage.recent();
    let mut refused = 0;
    for _ in 0..count {
        let band = *Band::ALL.choose(random).expect("there are three");
        let body = body(&real, &recent, random);
        let (management, vhost) = (stage.fleet.management(), stage.fleet.vhost());
        let key = queue_name("default", band);
        let properties = json!({"delivery_mode": 2, "message_id": random.random::<u32>().to_string()});
        let published = management.publish(vhost, JOBS_EXCHANGE, &key, &body, &properties).await;
        refused += usize::from(published.is_err());
        if refused > 3 {
            return;
        }
    }
}

fn body(real: &[(i64, i64, i32)], recent: &[i64], random: &mut StdRng) -> String {
    let message = |m: i64, job: i64, epoch: i32| json!({"v": 1, "m": m, "jobs": [[job, epoch]]}).to_string();
    match (random.random_range(0..9), real.choose(random), recent.choose(random)) {
        // An exact copy.
        (0..=2, Some(&(m, job, epoch)), _) => message(m, job, epoch),
        // Its epoch is off by one.
        (3, Some(&(m, job, epoch)), _) => message(m, job, epoch + random.random_range(-1..=1)),
        // A real job, and a message that never was.
        (4 | 5, _, Some(&job)) => message(random.random_range(1..1_000_000), job, random.random_range(1..8)),
        // Nothing of it is real.
        (6, _, _) => message(1, random.random_range(1_000_000..i64::MAX), random.random_range(1..8)),
        (7, _, _) => "{\"v\":9,\"m\":1,\"jobs\":[]}".to_owned(),
        _ => {
            let length = random.random_range(0..500);
            (0..length).map(|_| char::from(random.random_range(b' '..=b'~'))).collect()
        }
    }
}
