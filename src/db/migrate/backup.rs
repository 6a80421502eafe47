//! `migrate up --backup`: what is about to change, as SQL that psql can run.

use super::{
    affected::affected,
    error::{BackupError, MigrateError},
    up::Tell,
};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};
use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode},
};

/// Dumps the affected tables into `file`. It appears when it is complete, and only its owner can read it.
pub(super) async fn write(
    client: &Client,
    config: &Config,
    schema: &str,
    missing: &[&refinery::Migration],
    file: &Path,
    tell: &Tell<'_>,
) -> Result<(), MigrateError> {
    let names = affected(client, missing).await?;
    if names.is_empty() {
        tell("nothing is there yet, so there is no backup");
        return Ok(());
    }
    tell(&format!("backup of {} to {}", names.join(", "), file.display()));
    let arguments: Vec<String> = names.iter().map(|name| format!("--table={schema}.{}", quoted(name))).collect();
    Ok(dump(config, &arguments, file).await?)
}

async fn dump(config: &Config, arguments: &[String], file: &Path) -> Result<(), BackupError> {
    let temporary = temporary(file)?;
    let output = pg_dump(config, arguments, temporary.reopen().map_err(|e| directory(file, e))?).await?;
    if !output.status.success() {
        return Err(BackupError::Dump(last_words(&output)));
    }
    temporary.as_file().sync_all().map_err(|e| directory(file, e))?;
    match temporary.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Err(BackupError::Exists(file.to_owned())),
        Err(e) => Err(directory(file, e.error)),
    }
}

/// Beside the file, so that a rename makes it whole; 0600 from the beginning.
fn temporary(file: &Path) -> Result<NamedTempFile, BackupError> {
    // A link to nowhere is there too.
    if file.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    tempfile::Builder::new().prefix(".docket-backup-").tempfile_in(parent(file)).map_err(|e| directory(file, e))
}

fn parent(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn directory(file: &Path, error: std::io::Error) -> BackupError {
    BackupError::Directory { directory: parent(file), error }
}

/// The connection goes by environment: arguments are everybody's to read.
async fn pg_dump(config: &Config, arguments: &[String], out: std::fs::File) -> Result<Output, BackupError> {
    let mut command = Command::new("pg_dump");
    command.args(["--format=plain", "--clean", "--if-exists", "--no-password", "--lock-wait-timeout=10s"]);
    command.args(arguments).envs(environment(config)).stdin(Stdio::null()).stdout(out).stderr(Stdio::piped());
    let child = command.kill_on_drop(true).spawn().map_err(|e| match e.kind() {
        ErrorKind::NotFound => BackupError::NoPgDump,
        _ => BackupError::Dump(e.to_string()),
    })?;
    child.wait_with_output().await.map_err(|e| BackupError::Dump(e.to_string()))
}

fn environment(config: &Config) -> Vec<(&'static str, String)> {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    });
    let ports = config.get_ports().iter().map(u16::to_string);
    let mut all = vec![
        ("PGHOST", hosts.collect::<Vec<_>>().join(",")),
        ("PGPORT", ports.collect::<Vec<_>>().join(",")),
        ("PGCONNECT_TIMEOUT", "5".to_owned()),
        ("PGAPPNAME", "docket backup".to_owned()),
    ];
    let mut set = |name, value: Option<&str>| all.extend(value.map(|value| (name, value.to_owned())));
    set("PGUSER", config.get_user());
    set("PGDATABASE", config.get_dbname());
    set("PGPASSWORD", config.get_password().and_then(|password| std::str::from_utf8(password).ok()));
    set("PGOPTIONS", config.get_options());
    set(
        "PGSSLMODE",
        Some(match config.get_ssl_mode() {
            SslMode::Disable => "disable",
            SslMode::Require => "require",
            _ => "prefer",
        }),
    );
    all
}

/// A name as the patterns of `pg_dump` take it literally.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What it said last is why it failed; more than a few lines is no message.
fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    let shown: String = last.chars().take(600).collect();
    if shown.is_empty() { output.status.to_string() } else { shown }
}
