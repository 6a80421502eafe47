//! One supervised server program: started again and again in the same place, and hurt on purpose by fault tests.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use nix::sys::signal::Signal;
use tokio::time::{sleep, timeout};

use super::process::Process;
use super::state::Watch;
use super::usage::tree_cpu;

/// A service that was told to end gets so long; a RabbitMQ node that keeps its data takes 8 s on a calm machine.
const GRACE: Duration = Duration::from_secs(30);

/// How often a program that may end is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Lines of a log that an error quotes.
const QUOTED_LINES: usize = 8;

/// A program and how it ends.
pub(super) struct Service {
    /// Its name in messages and in the state file.
    pub(super) name: String,
    /// Both its outputs.
    pub(super) log: PathBuf,
    /// Ends it in order, or at once when its data is thrown away.
    pub(super) signal: Signal,
    pub(super) watch: Arc<Watch>,
    process: Mutex<Option<Process>>,
}

impl Service {
    pub(super) fn new(name: impl Into<String>, log: PathBuf, signal: Signal, watch: Arc<Watch>) -> Self {
        Self { name: name.into(), log, signal, watch, process: Mutex::new(None) }
    }

    /// Starts the program and records it.
    pub(super) fn spawn(&self, command: Command) -> Result<()> {
        let process = Process::spawn(command, &self.log)?;
        let identity = process.identity();
        *self.process() = Some(process);
        self.watch.add(&self.name, identity, self.signal)
    }

    /// Processor time of the program and its children; zero if it doesn't run.
    pub(super) fn cpu(&self) -> Duration {
        let identity = self.process().as_ref().map(Process::identity);
        identity.map_or(Duration::ZERO, tree_cpu)
    }

    /// An error if the program has ended, with the end of its log.
    pub(super) fn check(&self) -> Result<()> {
        match self.process().as_mut().map(Process::exited) {
            Some(None) => Ok(()),
            Some(Some(status)) => bail!("{} ended with {status}; its log ends with:\n{}", self.name, self.log_end()),
            None => bail!("{} is not running", self.name),
        }
    }

    /// How the program ended by itself; none: it still runs after `limit`, or was ended by us.
    pub(super) async fn ended(&self, limit: Duration) -> Option<ExitStatus> {
        let ended = async {
            loop {
                let status = self.process().as_mut().map(Process::exited);
                match status {
                    Some(None) => sleep(LOOK).await,
                    Some(status) => return status,
                    None => return None,
                }
            }
        };
        timeout(limit, ended).await.ok().flatten()
    }

    /// The program's process number, while it runs.
    pub(super) fn pid(&self) -> Option<i32> {
        let identity = self.process().as_ref().map(Process::identity)?;
        identity.runs().then_some(identity.pid)
    }

    /// Ends the program in its own way.
    pub(super) async fn stop(&self) {
        self.end(self.signal).await;
    }

    /// Ends the program and its children without a chance to tidy up.
    pub(super) async fn kill9(&self) {
        let children = self.process().as_ref().map(|process| process.identity().children()).unwrap_or_default();
        self.end(Signal::SIGKILL).await;
        // Most notice by themselves, but a successor must not meet one that is still busy.
        for child in children {
            child.end(Signal::SIGKILL, GRACE).await;
        }
    }

    /// Sends a signal that does not end it, such as SIGSTOP.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(process) = &*self.process() {
            process.identity().signal(signal);
        }
    }

    /// The last lines of the log.
    pub(super) fn log_end(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n")
    }

    /// Ends the program with another signal than its own.
    pub(super) async fn end(&self, signal: Signal) {
        let process = self.process().take();
        if let Some(process) = process {
            process.end(signal, GRACE).await;
        }
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
