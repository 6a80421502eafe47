//! One run of a program that reads hostile bytes: bounded in time, processor, memory and output.

use super::Limits;
use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit, prlimit, setpriority_process},
};
use std::{
    ffi::OsStr,
    io,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

/// Messages that are kept of one run; the rest is read and thrown away, so that the child never waits for us.
const MAX_STDERR: usize = 64 << 10;
/// SIGXCPU: the processor's time is used up.
const SIGXCPU: i32 = 24;
/// SIGKILL, which the hard limit sends.
const SIGKILL: i32 = 9;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal: it crashed.
    Crashed,
    /// Killed: out of time.
    TimedOut,
    /// Killed: too much output.
    TooMuchOutput,
}

/// What a run left.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

/// Runs `program args file`, with the file's text (`-` where it is asked for) on its standard output.
pub(super) async fn run(
    program: &str,
    args: &[&str],
    file: &Path,
    to: &[&str],
    limits: &Limits,
) -> io::Result<Outcome> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut child = Command::new(found(program, &path)?)
        .args(args)
        .arg(file)
        .args(to)
        .env_clear()
        // Messages are matched by their words.
        .env("LC_ALL", "C")
        // One document, one processor: the reader of images would take all.
        .env("OMP_THREAD_LIMIT", "1")
        .env("PATH", &path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    restrain(&child, limits)?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let end = timeout(limits.time, finish(&mut child, &mut stdout, &mut stderr, limits.max_text)).await;
    let end = match end {
        Ok(end) => end?,
        Err(_) => End::TimedOut,
    };
    if matches!(end, End::TimedOut | End::TooMuchOutput) {
        child.kill().await?;
    }
    Ok(Outcome { end, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

/// Where a program is. With its name alone and a `PATH` for the child, the standard library forks this process, which copies
/// its page tables: 5 ms for a worker of 90 MiB, in which poppler has read three pages.
fn found(program: &str, path: &OsStr) -> io::Result<PathBuf> {
    if program.starts_with('/') {
        return Ok(program.into());
    }
    let mut places = std::env::split_paths(path).map(|folder| folder.join(program));
    places
        .find(|place| place.is_file())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no {program} in PATH")))
}

/// Open files of a child: poppler needs a dozen.
const FILES: u64 = 64;
/// The heartbeat comes first.
const NICE: i32 = 10;

/// From outside, because what a child does between fork and exec would be unsafe code. So it begins without limits, for some
/// microseconds: less than poppler takes to load. What it has used by then counts.
fn restrain(child: &Child, limits: &Limits) -> io::Result<()> {
    let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) else { return Ok(()) };
    let bounds = [
        (Resource::As, limits.memory),
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Core, 0),
        (Resource::Fsize, limits.max_file),
        (Resource::Nofile, FILES),
    ];
    let set = bounds.into_iter().try_for_each(|(resource, bound)| {
        prlimit(Some(pid), resource, Rlimit { current: Some(bound), maximum: Some(bound) }).map(drop)
    });
    // Refused where this process is nicer already, and the child with it.
    let _ = setpriority_process(Some(pid), NICE);
    match set {
        // It has ended already.
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        // Dropped, it is killed.
        Err(error) => Err(error.into()),
    }
}

async fn finish(child: &mut Child, stdout: &mut Vec<u8>, stderr: &mut Vec<u8>, max_text: usize) -> io::Result<End> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (Some(out), Some(err)) = (out, err) else { return Err(io::Error::other("the child has no pipes")) };
    let messages = async {
        read_up_to(err, stderr, MAX_STDERR, false).await?;
        Ok::<_, io::Error>(())
    };
    let text = read_up_to(out, stdout, max_text, true);
    // Too much text must end the run at once, so the messages are not waited for then.
    tokio::pin!(messages, text);
    let too_much = tokio::select! {
        too_much = &mut text => {
            let too_much = too_much?;
            if !too_much { messages.await?; }
            too_much
        }
        result = &mut messages => { result?; text.await? }
    };
    if too_much {
        return Ok(End::TooMuchOutput);
    }
    let status = child.wait().await?;
    Ok(match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(SIGXCPU | SIGKILL)) => End::TimedOut,
        (None, _) => End::Crashed,
    })
}

/// Reads to the end and keeps up to `max` bytes; says whether there were more. With `stop` it reads no further then.
async fn read_up_to(mut from: impl AsyncRead + Unpin, into: &mut Vec<u8>, max: usize, stop: bool) -> io::Result<bool> {
    let mut chunk = vec![0; 64 << 10];
    let mut more = false;
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return Ok(more);
        }
        let room = max - into.len();
        into.extend_from_slice(&chunk[..read.min(room)]);
        more |= read > room;
        if more && stop {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn shell(script: &str, limits: &Limits) -> Outcome {
        run("sh", &["-c", script], Path::new("file"), &[], limits).await.unwrap()
    }

    fn short() -> Limits {
        Limits { time: Duration::from_millis(300), max_text: 1_000, ..Limits::default() }
    }

    fn is_gone(outcome: &Outcome) -> bool {
        let pid = String::from_utf8_lossy(&outcome.stdout[..outcome.stdout.len().min(20)]).into_owned();
        let pid = pid.lines().next().unwrap().to_owned();
        assert!(pid.parse::<u32>().is_ok(), "{pid:?} is no process id");
        !Path::new("/proc").join(pid).exists()
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_and_reaped() {
        let outcome = shell("echo $$; exec sleep 1000", &short()).await;
        assert_eq!(outcome.end, End::TimedOut);
        assert!(is_gone(&outcome));
    }

    #[tokio::test]
    async fn one_that_closes_its_output_and_stays_is_killed() {
        let outcome = shell("echo $$; exec sleep 1000 >&- 2>&-", &short()).await;
        assert_eq!(outcome.end, End::TimedOut);
        assert!(is_gone(&outcome));
    }

    #[tokio::test]
    async fn one_that_never_stops_talking_is_killed() {
        let limits = Limits { time: Duration::from_mins(1), ..short() };
        let outcome = shell("echo $$; exec yes", &limits).await;
        assert_eq!((outcome.end, outcome.stdout.len()), (End::TooMuchOutput, limits.max_text));
        assert!(is_gone(&outcome));
    }

    #[tokio::test]
    async fn endless_messages_are_thrown_away_and_never_block() {
        let limits = Limits { time: Duration::from_mins(1), ..short() };
        let outcome = shell("head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; echo done", &limits).await;
        assert_eq!((outcome.end, outcome.stderr.len()), (End::Exited(0), MAX_STDERR));
        assert_eq!(outcome.stdout, b"done\n");
    }

    #[tokio::test]
    async fn ends_are_told_apart() {
        let limits = Limits { time: Duration::from_mins(1), cpu_seconds: 1, ..short() };
        for (script, end) in
            [("exit 3", End::Exited(3)), ("kill -SEGV $$", End::Crashed), ("while :; do :; done", End::TimedOut)]
        {
            assert_eq!(shell(script, &limits).await.end, end, "{script}");
        }
    }

    #[tokio::test]
    async fn it_is_bounded_and_gives_way() {
        let limits = Limits { memory: 512 << 20, ..Limits::default() };
        let outcome = shell("sleep 0.5; ulimit -v; ulimit -t; ulimit -c; ulimit -f; ulimit -n; nice", &limits).await;
        assert_eq!(String::from_utf8_lossy(&outcome.stdout), "524288\n60\n0\n0\n64\n10\n");
    }

    #[tokio::test]
    async fn it_fills_no_disk() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let limits = Limits { max_file: 64 << 10, ..Limits::default() };
        let script = format!("sleep 0.3; head -c 1000000 /dev/zero > {}", file.path().display());
        shell(&script, &limits).await;
        assert_eq!(file.as_file().metadata().unwrap().len(), limits.max_file);
    }

    #[tokio::test]
    async fn it_inherits_nothing_but_the_search_path() {
        let outcome = shell("env | cut -d= -f1 | sort | tr '\\n' ' '", &Limits::default()).await;
        let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
        // The shell sets the rest itself.
        let inherited: Vec<_> =
            text.split_whitespace().filter(|n| !matches!(*n, "PWD" | "OLDPWD" | "SHLVL" | "_")).collect();
        assert_eq!(inherited, ["LC_ALL", "OMP_THREAD_LIMIT", "PATH"]);
    }
}
