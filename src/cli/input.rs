//! Files that a command reads.

use super::exit::Failure;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The bytes of a file, or of standard input for `-`; at most `max`.
pub(super) fn read(path: &Path, max: u64) -> Result<Vec<u8>, Failure> {
    let unreadable = |e: io::Error| Failure::usage(format!("can't read {}: {e}", path.display()));
    let bytes = if path == Path::new("-") {
        bounded(io::stdin().lock(), max)
    } else {
        File::open(path).and_then(|file| bounded(file, max))
    }
    .map_err(unreadable)?;
    if bytes.len() as u64 > max {
        return Err(Failure::usage(format!("{} has more than {max} bytes", path.display())));
    }
    Ok(bytes)
}

/// One byte more than allowed proves that there is more.
fn bounded(source: impl Read, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
