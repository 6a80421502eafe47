//! One child process: who it is, whether it still runs, and how it is ended.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// How often a process that was told to end is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A process's number together with its start, so that a number that was given to someone else is never mistaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The process's number.
    pub(super) pid: i32,
    /// Clock ticks from the machine's boot to the process's start.
    pub(super) started: u64,
}

impl Identity {
    /// The process that has this number now; none if there is none, or only a zombie.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let fields = stat(pid)?;
        let started = fields.get(19)?.parse().ok()?;
        (fields[0] != "Z").then_some(Self { pid, started })
    }

    /// The processes that this one has started and not reaped.
    pub(super) fn children(self) -> Vec<Self> {
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.filter(|pid| parent(*pid) == Some(self.pid)).filter_map(Self::of).collect()
    }

    /// This process.
    pub(super) fn own() -> Result<Self> {
        let pid = i32::try_from(std::process::id()).context("the own process number fits no pid_t")?;
        Self::of(pid).context("private services need Linux's /proc; set DATABASE_URL and AMQP_URL instead")
    }

    /// Whether this very process still runs.
    pub(super) fn runs(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal to this very process; one that has ended is no error.
    pub(super) fn signal(self, signal: Signal) {
        if self.runs() {
            let _gone = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Sends `signal`, waits for `grace`, then kills. Says whether the process is gone.
    pub(super) async fn end(self, signal: Signal, grace: Duration) -> bool {
        self.signal(signal);
        if self.gone_within(grace).await {
            return true;
        }
        self.signal(Signal::SIGKILL);
        self.gone_within(Duration::from_secs(5)).await
    }

    /// Waits until the process is gone, for `limit` at most.
    pub(super) async fn gone_within(self, limit: Duration) -> bool {
        let gone = async {
            while self.runs() {
                sleep(LOOK).await;
            }
        };
        tokio::time::timeout(limit, gone).await.is_ok()
    }
}

/// The fields of /proc/PID/stat from the third on, the state. The second, the name in parentheses, may hold spaces and
/// parentheses itself.
pub(super) fn stat(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace().map(str::to_owned).collect())
}

fn parent(pid: i32) -> Option<i32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// A child of ours, in a process group of its own: Ctrl-C in the terminal reaches us, not it.
pub(super) struct Process {
    child: Child,
    identity: Identity,
}

impl Process {
    /// Starts `command`, without input, both its outputs appended to the file `log`.
    pub(super) fn spawn(mut command: Command, log: &Path) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log);
        let output = output.with_context(|| format!("can't write the log {}", log.display()))?;
        let errors = output.try_clone().context("can't share the log")?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let program = command.get_program().display().to_string();
        let mut child = command.spawn().with_context(|| format!("can't start {program}"))?;
        let pid = i32::try_from(child.id()).context("the kernel gave a process number that fits no pid_t")?;
        let Some(identity) = Identity::of(pid) else {
            let status = child.wait().context("can't wait for a child")?;
            anyhow::bail!("{program} ended at once with {status}; see {}", log.display());
        };
        Ok(Self { child, identity })
    }

    /// Who the child is.
    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// How the child ended, if it has.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends `signal`, waits for `grace`, kills what still runs, and reaps it.
    pub(super) async fn end(mut self, signal: Signal, grace: Duration) {
        if self.identity.end(signal, grace).await {
            // A zombie can be reaped when the last of its threads has gone, a moment later.
            let reaped = async {
                while self.exited().is_none() {
                    sleep(LOOK).await;
                }
            };
            // A child that can't even be reaped stays with the keeper.
            let _late = tokio::time::timeout(Duration::from_secs(5), reaped).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_itself() {
        let own = Identity::own().unwrap();
        assert!(own.runs());
        assert!(!Identity { started: own.started + 1, ..own }.runs());
    }

    #[tokio::test]
    async fn ends_a_child_that_ignores_the_signal() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]);
        let log = dir.path().join("log");
        let process = Process::spawn(command, &log).unwrap();
        let identity = process.identity();
        while fs::read_to_string(&log).unwrap().is_empty() {
            sleep(LOOK).await;
        }
        process.end(Signal::SIGTERM, Duration::from_millis(100)).await;
        assert!(!identity.runs());
    }
}
