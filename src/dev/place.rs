//! Where the private instances keep their data, and as whom PostgreSQL runs.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::unistd::{Gid, Uid, User};
use rand::distr::{Alphanumeric, SampleString};

/// The name of the directory of data that is kept.
const KEPT: &str = "data";

/// The user PostgreSQL runs as when we are root, which it refuses to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
}

impl Account {
    /// The user `postgres` for root; none for everybody else, who runs PostgreSQL as himself.
    pub(super) fn for_postgres() -> Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let user = User::from_name("postgres").context("can't look up the user postgres")?;
        let user = user.context(
            "PostgreSQL refuses to run as root and there is no user postgres; \
             install it with `apt-get install postgresql`, or run as another user",
        )?;
        Ok(Some(Self { uid: user.uid, gid: user.gid }))
    }

    /// Makes a command run as this account.
    pub(super) fn apply(self, command: &mut Command) {
        command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
    }

    fn can_traverse(self, dir: &Path) -> bool {
        let mut command = Command::new("test");
        command.arg("-x").arg(dir).current_dir("/");
        self.apply(&mut command);
        command.status().is_ok_and(|status| status.success())
    }
}

/// Creates the state directory and says where it is, absolutely.
pub(super) fn state_dir(dir: &Path) -> Result<PathBuf> {
    let made = fs::create_dir_all(dir).and_then(|()| fs::canonicalize(dir));
    let dir = made.with_context(|| unusable(dir))?;
    // A directory that is there already may still be read-only.
    probe(&dir).with_context(|| unusable(&dir))?;
    Ok(dir)
}

/// Creates the data directory: [`KEPT`] in the state directory for data that is kept, otherwise one with a new name, so
/// that a late keeper never removes its successor's. Root falls back to /var/tmp when PostgreSQL's user can't reach
/// the state directory.
pub(super) fn data_dir(state: &Path, keep: bool, account: Option<Account>) -> Result<PathBuf> {
    let reachable = account.is_none_or(|account| account.can_traverse(state));
    let name = if keep { KEPT.to_owned() } else { format!("run-{}", secret(8)) };
    let dir = if reachable { state.join(name) } else { elsewhere(state, &name) };
    // Others may pass through (PostgreSQL's user does), not look around; each instance's own directory is closed.
    let made = DirBuilder::new().recursive(true).mode(0o711).create(&dir);
    made.with_context(|| unusable(&dir))?;
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&dir)?);
    ensure!(owner == Uid::effective().as_raw(), "the directory {} belongs to somebody else; remove it", dir.display());
    Ok(dir)
}

/// Removes kept data, wherever [`data_dir`] has put it.
pub(super) fn remove_kept(state: &Path) -> Result<()> {
    let Ok(state) = fs::canonicalize(state) else { return Ok(()) };
    for dir in [state.join(KEPT), elsewhere(&state, KEPT)] {
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("can't remove {}", dir.display()))?;
        }
    }
    Ok(())
}

fn elsewhere(state: &Path, name: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    PathBuf::from(format!("/var/tmp/docket-{:016x}-{name}", hasher.finish()))
}

/// The password of the private instances: made once for a data directory, because the data remembers it.
pub(super) fn password(data: &Path) -> Result<String> {
    let file = data.join("password");
    if let Ok(password) = fs::read_to_string(&file) {
        return Ok(password);
    }
    let password = secret(24);
    write_private(&file, &password)?;
    Ok(password)
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(file: &Path, text: &str) -> Result<()> {
    let mut options = fs::File::options();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(file);
    let written = opened.and_then(|mut opened| std::io::Write::write_all(&mut opened, text.as_bytes()));
    written.with_context(|| format!("can't write {}", file.display()))
}

fn secret(letters: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), letters)
}

fn probe(dir: &Path) -> std::io::Result<()> {
    let file = dir.join(format!("probe-{}", secret(8)));
    fs::write(&file, "")?;
    fs::remove_file(&file)
}

/// A state directory that can't be made or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("can't keep the private services' state in {}; start from a directory you can write to", .0.display())]
pub struct UnusableDir(pub PathBuf);

fn unusable(dir: &Path) -> UnusableDir {
    UnusableDir(dir.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_password_is_made_once() {
        let data = tempfile::tempdir().unwrap();
        let first = password(data.path()).unwrap();
        assert_eq!(first.len(), 24);
        assert_eq!(password(data.path()).unwrap(), first);
    }

    #[test]
    fn a_directory_that_cant_be_written_is_one_clear_error() {
        let error = state_dir(Path::new("/proc/docket")).unwrap_err();
        assert!(error.to_string().contains("start from a directory you can write to"), "{error:#}");
    }

    #[test]
    fn runs_get_directories_of_their_own() {
        let state = tempfile::tempdir().unwrap();
        let first = data_dir(state.path(), false, None).unwrap();
        assert_ne!(data_dir(state.path(), false, None).unwrap(), first);
        assert_eq!(data_dir(state.path(), true, None).unwrap(), state.path().join("data"));
        assert_eq!(data_dir(state.path(), true, None).unwrap(), state.path().join("data"));
    }

    #[test]
    fn an_unreachable_state_directory_moves_the_data() {
        let Ok(Some(account)) = Account::for_postgres() else { return };
        let state = tempfile::tempdir().unwrap();
        fs::set_permissions(state.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let dir = data_dir(state.path(), false, Some(account)).unwrap();
        assert!(dir.starts_with("/var/tmp"), "{}", dir.display());
        assert!(account.can_traverse(&dir));
        fs::remove_dir(dir).unwrap();
    }
}
