//! One private PostgreSQL and one private RabbitMQ for all tests of this process, and one test at a time on them.
//!
//! Nothing is cleaned between two tests: what one leaves behind counts in the next. Only a test that fails takes the
//! services with it, because nobody knows what it did to them; the next test gets new ones.

use super::{
    leftover::is_left_over,
    trial::{LONG, Trial},
};
use docket::dev::{
    down,
    fleet::{Fleet, FleetSpec},
};
use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::{runtime::Runtime, time::timeout};

/// Cargo's directory for the files of integration tests.
const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");
/// Followed by this process's number, and by that of the arena.
const PREFIX: &str = "faults-";
/// Many jobs in a message, which is harder than one in each. There would be few while the queue is short.
const POINTERS: &str = "8";
/// A test with all its waits. Most have a deadline of their own, which says more; this one is for the others.
const WHOLE: Duration = LONG.saturating_mul(10);

struct Ground {
    runtime: Runtime,
    arena: Mutex<Option<Fleet>>,
}

static GROUND: LazyLock<Ground> = LazyLock::new(|| Ground {
    runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime"),
    arena: Mutex::new(None),
});

/// Runs a test on the services, alone, and then holds it to the promise: see [`Trial::proven`].
pub(crate) fn trial(id: &'static str, what: &'static str, test: impl AsyncFnOnce(&mut Trial)) {
    let ground = &*GROUND;
    let mut slot = ground.arena.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = async {
        let fleet = match slot.take() {
            Some(fleet) => fleet,
            None => start().await,
        };
        let mut trial = Trial::new(fleet, id, what).await;
        Box::pin(test(&mut trial)).await;
        *slot = Some(Box::pin(trial.proven()).await);
    };
    let done = ground.runtime.block_on(async { timeout(WHOLE, whole).await });
    done.unwrap_or_else(|_| panic!("{id} has not ended after {WHOLE:?}"));
}

async fn start() -> Fleet {
    sweep().await;
    let spec = FleetSpec::new(directory(), env!("CARGO_BIN_EXE_docket")).env("DOCKET_POINTERS_MIN", POINTERS);
    let fleet = Fleet::start(spec).await;
    fleet.unwrap_or_else(|error| panic!("{error:#}"))
}

/// A directory that nobody has used.
fn directory() -> PathBuf {
    static NEXT: Mutex<u32> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    *next += 1;
    Path::new(TEMPORARY).join(format!("{PREFIX}{}-{next}", std::process::id()))
}

/// Removes what test processes that are gone have left.
async fn sweep() {
    for entry in std::fs::read_dir(TEMPORARY).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_left_over(&name, PREFIX) {
            // Two test processes may sweep at the same time.
            drop(down(&entry.path().join("services")).await);
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
