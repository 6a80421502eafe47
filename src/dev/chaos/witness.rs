//! A handler's own account of what it did, independent of ledger and broker.

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What a handler has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It begins.
    Start,
    /// It returns its result.
    Ok,
    /// It returns an error that may be tried again.
    Error,
    /// It returns an error that may not.
    Refusal,
    /// It panics now.
    Panic,
    /// It kills its process now.
    Kill,
    /// It was dropped before its end: a deadline, a cancel, a lost lease, a shutdown.
    Dropped,
}

/// One line of a witness file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The machine's monotonic clock, the same for all its processes, in microseconds.
    pub at_us: u64,
    /// The process.
    pub pid: u32,
    /// The job.
    pub job: i64,
    /// Its epoch during the attempt.
    pub epoch: i32,
    /// 1 for the first attempt.
    pub attempt: i16,
    /// Its kind.
    pub kind: String,
    /// What happened.
    pub deed: Deed,
}

/// The machine's monotonic clock, in microseconds: comparable between processes.
#[must_use]
pub fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// A file of JSON lines. Each is on disk when [`Lines::write`] returns, whatever becomes of the process then.
#[derive(Clone)]
pub struct Lines(Arc<Mutex<File>>);

impl Lines {
    /// Appends to a file, which is made if need be.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = File::options().create(true).append(true).open(path);
        let file = opened.with_context(|| format!("can't write {}", path.display()))?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Appends a line and waits until it is on disk.
    ///
    /// # Errors
    /// The disk is full, or fails.
    pub async fn write<T: Serialize>(&self, line: &T) -> io::Result<()> {
        self.write_all(std::slice::from_ref(line)).await
    }

    /// Appends lines, all at once.
    ///
    /// # Errors
    /// As [`Lines::write`].
    pub async fn write_all<T: Serialize>(&self, lines: &[T]) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        let file = self.0.clone();
        let written = tokio::task::spawn_blocking(move || append(&file, &text)).await;
        written.map_err(io::Error::other)?
    }

    /// The same as [`Lines::write`] on the caller's thread, for what can't wait: a drop.
    ///
    /// # Errors
    /// As [`Lines::write`].
    pub fn write_now<T: Serialize>(&self, line: &T) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        append(&self.0, &text)
    }
}

fn append(file: &Mutex<File>, text: &[u8]) -> io::Result<()> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.write_all(text)?;
    file.sync_data()
}

/// The lines of a file. A last one that a kill cut short is left out.
///
/// # Errors
/// It can't be read, or another line is not what it should be.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().filter(|line| !line.is_empty()).enumerate();
    lines
        .map(|(number, line)| serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), number + 1)))
        .collect()
}

/// The files of a directory whose names begin so, sorted.
///
/// # Errors
/// The directory can't be read.
pub fn files(dir: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("can't read {}", dir.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_back_but_not_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness-1");
        let line = Line {
            at_us: monotonic_us(),
            pid: 7,
            job: 1,
            epoch: 2,
            attempt: 1,
            kind: "chaos.ok".into(),
            deed: Deed::Start,
        };
        let lines = Lines::open(&path).unwrap();
        lines.write(&line).await.unwrap();
        lines.write_now(&Line { deed: Deed::Ok, ..line.clone() }).unwrap();
        append(&lines.0, b"{\"at_us\":1").unwrap();
        let back: Vec<Line> = read(&path).unwrap();
        assert_eq!(back, [line.clone(), Line { deed: Deed::Ok, ..line }]);
        assert_eq!(files(dir.path(), "witness-").unwrap(), std::slice::from_ref(&path));
        append(&lines.0, b"\n").unwrap();
        assert!(read::<Line>(&path).is_err(), "a line in the middle must be whole");
    }
}
