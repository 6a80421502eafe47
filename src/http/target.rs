//! A file by which a Prometheus on the same host finds this process: any number of them share a host, each on a free port.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process,
};

/// `docket-<role>-<pid>.json`, in the format of `file_sd_configs`. It goes with this value; one that a killed process left is
/// removed by the next that starts here. Whose lock is gone is gone: a number may be another process's by now.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    _lock: File,
}

impl Target {
    /// Writes the file into `dir`, for everybody to read: Prometheus has an account of its own.
    pub(super) fn announce(dir: &Path, role: &str, addr: SocketAddr) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        remove_left(dir)?;
        let path = dir.join(format!("docket-{role}-{}.json", process::id()));
        let list = serde_json::json!([{ "targets": [reached(addr).to_string()], "labels": { "role": role } }]);
        // Prometheus reads whatever matches docket-*.json, also a half of it.
        let half = dir.join(format!(".docket-{}.new", process::id()));
        let mut file = File::create(&half)?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.write_all(list.to_string().as_bytes())?;
        file.lock()?;
        fs::rename(&half, &path)?;
        Ok(Self { path, _lock: file })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Somebody else may have removed it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Where a process of the same host reaches one that listens everywhere.
fn reached(addr: SocketAddr) -> SocketAddr {
    let ip = if addr.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { addr.ip() };
    SocketAddr::new(ip, addr.port())
}

/// Files of processes that are no more. Anything else in the directory is somebody else's.
fn remove_left(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let pid = name.strip_prefix("docket-").and_then(|rest| rest.strip_suffix(".json")?.rsplit('-').next());
        if pid.is_some_and(|pid| pid.parse::<u32>().is_ok())
            && let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_file_comes_and_goes_with_the_process_and_takes_what_the_dead_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("targets");
        fs::create_dir(&path).unwrap();
        // Nobody holds a lock on them.
        for left in ["docket-worker-4194305.json", "alertmanager.json", "docket-worker-x.json"] {
            fs::write(path.join(left), "[]").unwrap();
        }
        let own = format!("docket-worker-{}.json", process::id());
        let target = Target::announce(&path, "worker", "0.0.0.0:9100".parse().unwrap()).unwrap();
        let mut expected = vec!["alertmanager.json".to_owned(), own.clone(), "docket-worker-x.json".to_owned()];
        expected.sort();
        assert_eq!(files(&path), expected);
        let text = fs::read_to_string(path.join(&own)).unwrap();
        assert_eq!(text, r#"[{"labels":{"role":"worker"},"targets":["127.0.0.1:9100"]}]"#);
        remove_left(&path).unwrap();
        assert!(files(&path).contains(&own), "whoever lives keeps his");
        drop(target);
        assert!(!files(&path).contains(&own));
    }

    #[test]
    fn a_directory_that_can_not_be_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let addr = "127.0.0.1:1".parse().unwrap();
        assert!(Target::announce(&dir.path().join("file"), "worker", addr).is_err());
    }
}
