//! A job that kills its worker, among others: real processes, the real broker, many pointers a message.

use docket::{
    dev::{
        chaos::kinds::{self, Act, EFFECT, EFFECTS_TABLE, KILL, OK},
        fleet::{Fleet, FleetSpec, MemberSpec},
    },
    fleet::{
        enqueue::{Enqueued, Notify, enqueue},
        job::{JobId, NewJob},
    },
};
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_mins(4);

fn jobs(kind: &str, count: usize) -> Vec<NewJob> {
    (0..count).map(|_| kinds::job(kind, Act { ms: 1500 }).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_its_only_worker_is_the_only_dead_letter() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("deadly-{}", std::process::id()));
    let spec = FleetSpec::new(&dir, env!("CARGO_BIN_EXE_docket")).env("DOCKET_POINTERS_MIN", "32");
    let fleet = Fleet::start(spec).await.unwrap();
    let client = fleet.connect().await.unwrap();
    client.batch_execute(EFFECTS_TABLE).await.unwrap();
    let all = [jobs(EFFECT, 48), jobs(KILL, 1), jobs(OK, 48)].concat();
    let ids: Vec<JobId> = enqueue(&client, &all, Notify::Yes).await.unwrap().into_iter().map(Enqueued::id).collect();
    let (deadly, begun) = (ids[48], Instant::now());
    fleet.spawn(MemberSpec::new("scheduler", "scheduler")).await.unwrap();
    let command = format!("chaos-worker --witness {} --slots 32", fleet.dir().display());
    let worker = fleet.spawn(MemberSpec::new("worker", &command)).await.unwrap();
    let (mut deaths, open) = (0, "select count(*) from jobs where finished_at is null");
    while client.query_one(open, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(begun.elapsed() < PATIENCE, "{}", worker.log_end());
        if worker.pid().is_none() {
            deaths += 1;
            worker.kill9().await;
            worker.start().unwrap();
        }
        sleep(Duration::from_millis(100)).await;
    }
    println!("F07: one deadly job of {} took {deaths} workers and {:.0} s", ids.len(), begun.elapsed().as_secs_f64());
    let dead = client
        .query("select id, losses, failures, error_class, last_error from jobs where status = 'dead_letter'", &[])
        .await
        .unwrap();
    assert_eq!(dead.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>(), [deadly.0], "exactly one");
    let (losses, failures): (i16, i16) = (dead[0].get(1), dead[0].get(2));
    assert_eq!((losses, failures, dead[0].get::<_, &str>(3)), (5, 0, "worker_lost"));
    let reason: String = dead[0].get(4);
    assert!(reason.contains("and nothing else, loss 5 of 5") && reason.contains(" ("), "who, and how often: {reason}");
    let completed = "select count(*) from jobs where status = 'completed' and failures = 0";
    assert_eq!(client.query_one(completed, &[]).await.unwrap().get::<_, i64>(0), 96, "its neighbours");
    let effects = "select format('%s %s', count(*), count(distinct job_id)) from chaos_effects";
    assert_eq!(client.query_one(effects, &[]).await.unwrap().get::<_, String>(0), "48 48", "once each");
    assert!(deaths >= 5);
    fleet.stop().await;
    std::fs::remove_dir_all(&dir).unwrap();
}
