//! Small files that people write: read whole, within bounds, and only if they are files. A FIFO would never end.

use nix::fcntl::OFlag;
use secrecy::SecretString;
use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Largest file: a configuration is a few KiB, a secret fewer.
const MAX_BYTES: u64 = 64 << 10;

/// What stands in a file.
///
/// # Errors
/// When it is not a regular file of at most 64 KiB in UTF-8 that this process may read.
pub(super) fn text(path: &Path) -> Result<String, String> {
    Ok(open(path)?.1)
}

/// The secret in a file, without white space around it.
///
/// # Errors
/// When everybody could read or write it; when it is empty; as [`text`].
pub(super) fn secret(path: &Path) -> Result<SecretString, String> {
    let (about, text) = open(path)?;
    let shown = path.display();
    if about.permissions().mode() & 0o006 != 0 {
        return Err(format!(
            "everybody on this machine can read or write {shown}: chmod o-rwx {shown}; in Kubernetes give the volume \
             defaultMode: 0440, in Compose give the secret mode: 0440"
        ));
    }
    match text.trim() {
        "" => Err(format!("{shown} is empty")),
        secret => Ok(secret.to_owned().into()),
    }
}

/// What `path` resolves to, and its text. Both are of the same open file: the name may change its meaning meanwhile.
fn open(path: &Path) -> Result<(Metadata, String), String> {
    let shown = path.display();
    let unreadable = |e: io::Error| format!("can't read {shown}: {e}");
    // Some devices do something when they are opened.
    refuse_special(path, &std::fs::metadata(path).map_err(unreadable)?)?;
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    refuse_special(path, &about)?;
    let bytes = bounded(file).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{shown} has more than {} KiB: is it the right file?", MAX_BYTES >> 10));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8: is it the right file?"))?;
    Ok((about, text))
}

fn refuse_special(path: &Path, about: &Metadata) -> Result<(), String> {
    let shown = path.display();
    match about {
        about if about.is_file() => Ok(()),
        about if about.is_dir() => Err(format!("{shown} is a directory: name a file in it")),
        _ => Err(format!("{shown} is no regular file: a pipe or a device might never end")),
    }
}

/// One byte more than allowed proves that there is more.
fn bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::{sys::stat::Mode, unistd::mkfifo};
    use secrecy::ExposeSecret;
    use std::{fs, os::unix::fs::symlink};

    fn write(path: &Path, bytes: &[u8], mode: u32) {
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_is_read_without_its_line_end_also_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("token"), dir.path().join("link"));
        symlink(&path, &link).unwrap();
        for mode in [0o400, 0o440, 0o600, 0o640, 0o660] {
            write(&path, b"s3cret\n", mode);
            assert_eq!(secret(&link).unwrap().expose_secret(), "s3cret", "{mode:o}");
        }
    }

    #[test]
    fn a_secret_that_everybody_can_read_is_refused_with_the_fix() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("token"), dir.path().join("link"));
        symlink(&path, &link).unwrap();
        for mode in [0o444, 0o604, 0o644, 0o666, 0o602, 0o777] {
            write(&path, b"s3cret\n", mode);
            let error = secret(&link).unwrap_err();
            assert!(error.contains("chmod o-rwx") && error.contains("0440"), "{mode:o}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_no_small_text_file_is_refused_and_never_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        mkfifo(&at("fifo"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        symlink(at("fifo"), at("link")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        write(&at("empty"), b" \n", 0o600);
        write(&at("large"), &vec![b'x'; 10 << 20], 0o600);
        write(&at("binary"), b"s3cret\xff", 0o600);
        let cases = [
            (dir.path().to_owned(), "directory"),
            (at("fifo"), "regular"),
            (at("link"), "regular"),
            (at("loop"), "can't read"),
            (at("missing"), "can't read"),
            (at("empty"), "empty"),
            (at("large"), "64 KiB"),
            (at("binary"), "UTF-8"),
            ("/dev/zero".into(), "regular"),
            ("/dev/null".into(), "regular"),
        ];
        for (path, word) in cases {
            let error = secret(&path).unwrap_err();
            assert!(error.contains(word) && !error.contains("s3cret"), "{}: {error}", path.display());
        }
    }

    #[test]
    fn a_file_of_the_largest_size_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        write(&path, &vec![b'x'; 64 << 10], 0o644);
        assert_eq!(text(&path).unwrap().len(), 64 << 10);
        write(&path, &vec![b'x'; (64 << 10) + 1], 0o644);
        assert!(text(&path).is_err());
    }
}
