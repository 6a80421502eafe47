//! A small process that ends the services when ours dies, even by kill -9.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::process::Identity;

const SCRIPT: &str = include_str!("keeper.sh");

/// The keeper's handle. Its pipe is closed by drop, by [`Keeper::finish`] and by the death of our process; each time
/// the keeper ends what it was told of and still runs, and removes the directory.
pub(super) struct Keeper {
    child: Child,
    pipe: ChildStdin,
}

impl Keeper {
    /// Starts a keeper. `remove` is deleted at the end.
    pub(super) fn start(remove: Option<&Path>) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "docket-keeper"]).current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().context("can't start sh, the keeper of the private services")?;
        let pipe = child.stdin.take().context("the keeper has no input")?;
        let mut keeper = Self { child, pipe };
        if let Some(dir) = remove {
            let path = dir.to_str().filter(|path| !path.contains('\n') && path.trim() == *path);
            let path = path.with_context(|| format!("can't use the directory {dir:?}: its name is no plain text"))?;
            ensure!(dir.is_absolute(), "the directory {path} must be absolute");
            keeper.tell(&format!("remove {path}"))?;
        }
        Ok(keeper)
    }

    /// Tells the keeper of a process and of the signal that ends it.
    pub(super) fn watch(&mut self, process: Identity, signal: Signal) -> Result<()> {
        let name = signal.as_str().trim_start_matches("SIG");
        self.tell(&format!("process {}:{}:{name}", process.pid, process.started))
    }

    fn tell(&mut self, line: &str) -> Result<()> {
        writeln!(self.pipe, "{line}").context("the keeper of the private services is gone; start again")
    }

    /// Lets the keeper end what is left, and waits for it.
    pub(super) async fn finish(self) {
        let Self { mut child, pipe } = self;
        drop(pipe);
        // The keeper's own limits are 20 s for the services and 5 s for the directory.
        for _ in 0..300 {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::process::Process;
    use super::*;

    #[tokio::test]
    async fn ends_what_it_was_told_of_and_removes_the_directory() {
        let logs = tempfile::tempdir().unwrap();
        let dir = tempfile::tempdir().unwrap().keep().join("with space");
        std::fs::create_dir_all(dir.join("deep")).unwrap();
        let mut sleeper = Command::new("sleep");
        sleeper.arg("600");
        let process = Process::spawn(sleeper, &logs.path().join("log")).unwrap();
        let stranger = Process::spawn(sleep_command(), &logs.path().join("log")).unwrap();

        let mut keeper = Keeper::start(Some(&dir)).unwrap();
        keeper.watch(process.identity(), Signal::SIGTERM).unwrap();
        let reused = Identity { started: stranger.identity().started + 1, ..stranger.identity() };
        keeper.watch(reused, Signal::SIGKILL).unwrap();
        keeper.finish().await;

        assert!(!process.identity().runs());
        assert!(!dir.exists());
        assert!(stranger.identity().runs(), "a number that was given to another process is left alone");
        stranger.end(Signal::SIGKILL, Duration::from_secs(1)).await;
    }

    #[tokio::test]
    async fn refuses_a_directory_it_could_not_name() {
        assert!(Keeper::start(Some(Path::new("/tmp/two\nlines"))).is_err());
        assert!(Keeper::start(Some(Path::new("relative"))).is_err());
    }

    fn sleep_command() -> Command {
        let mut command = Command::new("sleep");
        command.arg("600");
        command
    }
}
