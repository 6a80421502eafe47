//! What runs here, on disk, so that another process can end it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::keeper::Keeper;
use super::place::write_private;
use super::process::Identity;

const FILE: &str = "state.json";

/// A node that keeps its data takes 8 s to stop; a busy machine is slower.
const GRACE: Duration = Duration::from_secs(30);

/// What [`down`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// Nothing ran.
    Nothing,
    /// Docket ran and was told to stop.
    Stopped,
    /// Docket was dead; what it had left was ended.
    Mended,
}

#[derive(Serialize, Deserialize)]
struct State {
    boot: String,
    owner: Identity,
    remove: Option<PathBuf>,
    processes: Vec<Watched>,
}

#[derive(Serialize, Deserialize)]
struct Watched {
    name: String,
    #[serde(flatten)]
    identity: Identity,
    signal: String,
}

/// The lock on a state directory: on an open file, so that it goes with the process.
pub(super) struct DirLock(File);

impl Drop for DirLock {
    /// Said, and not only closed: a child that is just being started has the same open file until it runs its program.
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// The claim on a state directory, with the record of what runs there. Kept as long as the services.
pub(super) struct Watch {
    dir: PathBuf,
    state: Mutex<(State, Keeper)>,
    _lock: DirLock,
}

impl Watch {
    /// Claims the state directory and ends what a dead predecessor left there.
    pub(super) async fn claim(dir: &Path) -> Result<DirLock> {
        let Some(lock) = lock(dir)? else {
            let owner = read(dir).map_or_else(String::new, |state| format!(" as process {}", state.owner.pid));
            bail!("docket already runs in {}{owner}; stop it with `docket dev down`", dir.display());
        };
        mend(dir).await;
        Ok(lock)
    }

    /// Starts the record. `remove` goes when the services end.
    pub(super) fn start(dir: &Path, lock: DirLock, remove: Option<&Path>) -> Result<Self> {
        let keeper = Keeper::start(remove)?;
        let (owner, remove) = (Identity::own()?, remove.map(Path::to_owned));
        let state = State { boot: boot(), owner, remove, processes: Vec::new() };
        write(dir, &state)?;
        Ok(Self { dir: dir.to_owned(), state: Mutex::new((state, keeper)), _lock: lock })
    }

    /// Records a process and the signal that ends it.
    pub(super) fn add(&self, name: &str, identity: Identity, signal: Signal) -> Result<()> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, keeper) = &mut *guard;
        keeper.watch(identity, signal)?;
        state.processes.retain(|process| process.name != name);
        let signal = signal.as_str().to_owned();
        state.processes.push(Watched { name: name.to_owned(), identity, signal });
        write(&self.dir, state)
    }

    /// Ends the record: lets the keeper end what is left, and removes the files.
    pub(super) async fn finish(self) {
        let (_, keeper) = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        keeper.finish().await;
        forget(&self.dir);
    }
}

/// Ends what runs in a state directory, in order if its owner lives.
///
/// # Errors
///
/// The directory can't be read, or the owner doesn't stop.
pub async fn down(dir: &Path) -> Result<Down> {
    if !dir.is_dir() {
        return Ok(Down::Nothing);
    }
    if let Some(_lock) = lock(dir)? {
        return Ok(if mend(dir).await { Down::Mended } else { Down::Nothing });
    }
    let owner = read(dir).context("docket is starting here; try again")?.owner;
    owner.signal(Signal::SIGTERM);
    if !owner.gone_within(GRACE).await {
        bail!("process {} doesn't stop; end it with `kill -9 {}` and try again", owner.pid, owner.pid);
    }
    if let Some(_lock) = lock(dir)? {
        mend(dir).await;
    }
    Ok(Down::Stopped)
}

/// What the file `env` of services that run in a state directory says; none when nothing runs there.
#[must_use]
pub fn running_env(dir: &Path) -> Option<Vec<(String, String)>> {
    // A killed process leaves its files behind.
    read(dir).filter(|state| state.boot == boot() && state.owner.runs())?;
    let text = fs::read_to_string(dir.join("env")).ok()?;
    Some(text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}

/// Ends what a dead owner left. Says whether there was anything. The caller holds the lock.
async fn mend(dir: &Path) -> bool {
    let Some(state) = read(dir) else { return false };
    if state.boot == boot() {
        for Watched { identity, signal, .. } in &state.processes {
            let signal = signal.parse().unwrap_or(Signal::SIGTERM);
            identity.end(signal, GRACE).await;
        }
    }
    // Errors: it is gone already, or a keeper is removing it.
    state.remove.iter().for_each(|dir| drop(fs::remove_dir_all(dir)));
    forget(dir);
    true
}

fn lock(dir: &Path) -> Result<Option<DirLock>> {
    let file = dir.join("lock");
    let opened = File::options().create(true).append(true).open(&file);
    let lock = opened.with_context(|| format!("can't write {}", file.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(DirLock(lock))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("can't lock {}", file.display())),
    }
}

fn read(dir: &Path) -> Option<State> {
    serde_json::from_slice(&fs::read(dir.join(FILE)).ok()?).ok()
}

fn write(dir: &Path, state: &State) -> Result<()> {
    let next = dir.join(format!("{FILE}.next"));
    write_private(&next, &serde_json::to_string_pretty(state)?)?;
    fs::rename(&next, dir.join(FILE)).context("can't replace the state file")
}

/// Removes what tells of running services; errors mean that it is gone.
fn forget(dir: &Path) {
    for file in [FILE, "env"] {
        drop(fs::remove_file(dir.join(file)));
    }
}

/// Process numbers and start times begin anew when the machine does.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
