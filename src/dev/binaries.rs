//! Where the machine keeps PostgreSQL and RabbitMQ.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const POSTGRES_MIN: u32 = 13;
const RABBITMQ_MIN: (u32, u32) = (3, 10);

/// PostgreSQL's programs.
#[derive(Debug)]
pub(super) struct PostgresBinaries {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
}

/// RabbitMQ's and Erlang's programs.
#[derive(Debug)]
pub(super) struct RabbitMqBinaries {
    /// The start script itself: Debian's wrapper in /usr/sbin refuses other users and leaves our directory.
    pub(super) server: PathBuf,
    pub(super) epmd: PathBuf,
}

/// Finds the newest PostgreSQL: Debian's versioned directories, then PATH, then what `pg_config` says.
pub(super) fn postgres() -> Result<PostgresBinaries> {
    let (version, dir) = postgres_dirs().into_iter().max().context(
        "found no PostgreSQL (initdb and postgres); install it with `apt-get install postgresql`, \
         or set DATABASE_URL to a server of yours",
    )?;
    if version < POSTGRES_MIN {
        bail!("found PostgreSQL {version} in {}; install version {POSTGRES_MIN} or later", dir.display());
    }
    Ok(PostgresBinaries { initdb: dir.join("initdb"), postgres: dir.join("postgres") })
}

/// Finds RabbitMQ and Erlang's port mapper.
pub(super) fn rabbitmq() -> Result<RabbitMqBinaries> {
    let server = ["/usr/lib/rabbitmq/bin", "/usr/local/opt/rabbitmq/sbin", "/opt/homebrew/opt/rabbitmq/sbin"]
        .into_iter()
        .map(|dir| Path::new(dir).join("rabbitmq-server"))
        .find(|script| script.is_file());
    let (Some(server), Some(epmd)) = (server, on_path("epmd")) else {
        bail!(
            "found no RabbitMQ (rabbitmq-server and epmd); install it with `apt-get install rabbitmq-server`, \
             or set AMQP_URL to a broker of yours"
        );
    };
    let version = rabbitmq_version(&server)
        .with_context(|| format!("can't tell the version of {}; reinstall rabbitmq-server", server.display()))?;
    if version < RABBITMQ_MIN {
        bail!(
            "found RabbitMQ {}.{}; install version {}.{} or later",
            version.0,
            version.1,
            RABBITMQ_MIN.0,
            RABBITMQ_MIN.1
        );
    }
    Ok(RabbitMqBinaries { server, epmd })
}

/// Prometheus' and Alertmanager's programs.
#[derive(Debug)]
pub(super) struct MonitoringBinaries {
    pub(super) prometheus: PathBuf,
    pub(super) alertmanager: PathBuf,
}

/// Finds Prometheus and Alertmanager, which Debian calls `prometheus-alertmanager`. Nobody has to have them.
pub(super) fn monitoring() -> Option<MonitoringBinaries> {
    let alertmanager = on_path("prometheus-alertmanager").or_else(|| on_path("alertmanager"))?;
    Some(MonitoringBinaries { prometheus: on_path("prometheus")?, alertmanager })
}

fn postgres_dirs() -> Vec<(u32, PathBuf)> {
    let versioned = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versioned = versioned.map(|entry| entry.path().join("bin"));
    let on_path = on_path("postgres").and_then(|program| Some(program.parent()?.to_owned()));
    versioned
        .chain(on_path)
        .chain(ask("pg_config", "--bindir").map(PathBuf::from))
        .filter(|dir| dir.join("initdb").is_file())
        .filter_map(|dir| Some((postgres_version(&dir)?, dir)))
        .collect()
}

fn postgres_version(dir: &Path) -> Option<u32> {
    major(&ask(dir.join("postgres"), "--version")?)
}

/// The major version in "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" or "… 18beta1".
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// RabbitMQ's version stands in the name of its main plugin; asking it would start an Erlang machine.
fn rabbitmq_version(server: &Path) -> Option<(u32, u32)> {
    let home = fs::canonicalize(server).ok()?.parent()?.parent()?.to_owned();
    fs::read_dir(home.join("plugins")).ok()?.flatten().find_map(|entry| {
        let name = entry.file_name();
        let mut numbers = name.to_str()?.strip_prefix("rabbit-")?.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}

fn ask(program: impl AsRef<std::ffi::OsStr>, question: &str) -> Option<String> {
    let output = std::process::Command::new(program).arg(question).current_dir("/").output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    output.status.success().then_some(answer)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_postgresql_versions() {
        assert_eq!(major("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("something else"), None);
        assert_eq!(major(""), None);
    }

    #[test]
    fn reads_rabbitmqs_version_from_its_plugins() {
        let home = tempfile::tempdir().unwrap();
        let server = home.path().join("sbin/rabbitmq-server");
        fs::create_dir_all(server.parent().unwrap()).unwrap();
        fs::write(&server, "").unwrap();
        assert_eq!(rabbitmq_version(&server), None);
        fs::create_dir_all(home.path().join("plugins/rabbit_common-4.0.1")).unwrap();
        fs::create_dir_all(home.path().join("plugins/rabbit-3.13.7")).unwrap();
        assert_eq!(rabbitmq_version(&server), Some((3, 13)));
    }
}
