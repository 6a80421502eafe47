//! A file system that is soon full.

use std::{path::Path, process::Command};

/// A file system of its own, unmounted when this goes.
pub(crate) struct Tiny(tempfile::TempDir);

impl Tiny {
    /// Of this size, as mount(8) reads it. None: only root may mount.
    pub(crate) fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "docket-test"]).arg(dir.path());
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}
