//! A small disk that can be filled.

use super::leftover::is_left_over;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

/// Followed by this process's number: whoever finds one whose process is gone may unmount it.
const PREFIX: &str = "docket-faults-disk-";

/// A mounted tmpfs. It goes with this value.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// An empty one of so many MiB.
    pub(crate) fn new(name: &str, mib: u32) -> Self {
        sweep();
        let path = Path::new("/var/tmp").join(format!("{PREFIX}{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("a new directory");
        let disk = Self(path);
        let size = format!("size={mib}m,mode=755");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&disk.0).output();
        let mounted = mounted.expect("mount runs");
        assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
        fs::set_permissions(&disk.0, fs::Permissions::from_mode(0o755)).expect("ours");
        disk
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut file = fs::File::create(self.ballast()).expect("room for a name");
        let block = vec![0_u8; 64 * 1024];
        // It ends with the error that it is for.
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.ballast()).expect("the ballast");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

fn unmount(path: &Path) {
    // Lazily: a server that was just killed may still be there for a moment.
    let _ = Command::new("umount").arg("-l").arg(path).output();
    let _ = fs::remove_dir(path);
}

/// Unmounts the disks of test processes that are gone.
fn sweep() {
    for entry in fs::read_dir("/var/tmp").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_left_over(&name, PREFIX) {
            unmount(&entry.path());
        }
    }
}

/// A directory of a server that was moved to a small disk; a link stands in its place.
pub(crate) struct Moved {
    from: PathBuf,
    to: PathBuf,
    disk: Disk,
}

impl Moved {
    /// With so many MiB to spare. The server must not run.
    pub(crate) fn new(name: &str, from: &Path, spare: u32) -> Self {
        let disk = Disk::new(name, mib(from) + spare);
        let to = disk.path().join(name);
        copy(from, &to);
        fs::remove_dir_all(from).expect("ours");
        std::os::unix::fs::symlink(&to, from).expect("ours");
        Self { from: from.to_owned(), to, disk }
    }

    pub(crate) const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Back where it was. The server must not run.
    pub(crate) fn put_back(self) {
        fs::remove_file(&self.from).expect("ours");
        copy(&self.to, &self.from);
    }
}

/// With owners and rights, which a database insists on.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs");
    assert!(copied.success(), "{} to {}", from.display(), to.display());
}

fn mib(directory: &Path) -> u32 {
    let told = Command::new("du").arg("-sm").arg(directory).output().expect("du runs").stdout;
    let told = String::from_utf8_lossy(&told);
    told.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number of MiB")
}
