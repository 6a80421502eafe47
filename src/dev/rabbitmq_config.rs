//! The files and the environment of a private RabbitMQ node.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::binaries::RabbitMqBinaries;
use super::place::write_private;

/// The node's only user.
pub(super) const USER: &str = "docket";

/// The port mapper is private, so the name may be the same everywhere; the data is bound to it.
const NODE: &str = "docket@localhost";

/// Where a private node listens, all on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) amqp: u16,
    pub(super) management: u16,
    pub(super) prometheus: u16,
    /// Erlang's own protocol, for rabbitmqctl.
    pub(super) distribution: u16,
    /// Erlang's port mapper.
    pub(super) epmd: u16,
}

/// The directory of a private node.
pub(super) struct NodeDir(pub(super) PathBuf);

impl NodeDir {
    /// Writes what the node reads when it boots.
    pub(super) fn write(&self, ports: Ports, definitions: &Value) -> Result<()> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(self.path("log"));
        made.with_context(|| format!("can't create {}", self.0.display()))?;
        // Without a file of ours the machine's own rabbitmq-env.conf is read.
        write_private(&self.path("env.conf"), "")?;
        write_private(&self.path("enabled_plugins"), "[rabbitmq_management,rabbitmq_prometheus].\n")?;
        self.write_definitions(definitions)?;
        write_private(&self.path("rabbitmq.conf"), &self.conf(ports))
    }

    /// Writes what the node imports at each boot.
    pub(super) fn write_definitions(&self, definitions: &Value) -> Result<()> {
        write_private(&self.path("definitions.json"), &serde_json::to_string_pretty(definitions)?)
    }

    /// What it imports.
    pub(super) fn definitions(&self) -> Result<Value> {
        let text = fs::read_to_string(self.path("definitions.json")).context("can't read the definitions")?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Removes what the node remembers.
    pub(super) fn wipe(&self) -> Result<()> {
        for dir in ["mnesia", "feature_flags"] {
            let path = self.path(dir);
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed
                .or_else(|error| if path.exists() { Err(error) } else { Ok(()) })
                .with_context(|| format!("can't remove {}", path.display()))?;
        }
        Ok(())
    }

    /// The port mapper, in the foreground: one that the node starts would outlive it.
    pub(super) fn epmd(&self, binaries: &RabbitMqBinaries, ports: Ports) -> Command {
        let mut command = self.clean(&binaries.epmd, ports);
        command.args(["-port", &ports.epmd.to_string(), "-address", "127.0.0.1"]);
        command
    }

    /// The node.
    pub(super) fn server(&self, binaries: &RabbitMqBinaries, ports: Ports) -> Command {
        let mut command = self.clean(&binaries.server, ports);
        command
            // Makes the script exec the node, so that the child we started is the node.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_NODENAME", NODE)
            .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
            .env("RABBITMQ_CONF_ENV_FILE", self.path("env.conf"))
            .env("RABBITMQ_CONFIG_FILE", self.path("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", self.path("advanced.config"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.path("enabled_plugins"))
            .env("RABBITMQ_MNESIA_BASE", self.path("mnesia"))
            .env("RABBITMQ_LOG_BASE", self.path("log"))
            .env("RABBITMQ_PLUGINS_EXPAND_DIR", self.path("plugins"))
            .env("RABBITMQ_FEATURE_FLAGS_FILE", self.path("feature_flags"))
            .env("RABBITMQ_PID_FILE", self.path("pid"))
            .env("ERL_FLAGS", "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}")
            .env("ERL_CRASH_DUMP_SECONDS", "0");
        command
    }

    /// rabbitmqctl, which takes the node's cookie from HOME.
    pub(super) fn ctl(&self, binaries: &RabbitMqBinaries, ports: Ports) -> Command {
        let mut command = self.clean(&binaries.server.with_file_name("rabbitmqctl"), ports);
        command.env("RABBITMQ_NODENAME", NODE).env("RABBITMQ_CONF_ENV_FILE", self.path("env.conf"));
        command
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A command that sees nothing of the caller's environment but PATH: RABBITMQ_* variables would leak in. HOME
    /// holds the Erlang cookie.
    fn clean(&self, program: &Path, ports: Ports) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", &self.0).env("LANG", "C.UTF-8").current_dir(&self.0);
        command.env("ERL_EPMD_PORT", ports.epmd.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command
    }

    fn conf(&self, ports: Ports) -> String {
        let Ports { amqp, management, prometheus, .. } = ports;
        let definitions = self.path("definitions.json");
        let log = self.path("log/node.log");
        format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
             management.tcp.ip = 127.0.0.1\n\
             management.tcp.port = {management}\n\
             prometheus.tcp.ip = 127.0.0.1\n\
             prometheus.tcp.port = {prometheus}\n\
             definitions.import_backend = local_filesystem\n\
             definitions.local.path = {definitions}\n\
             heartbeat = 10\n\
             disk_free_limit.absolute = 50MB\n\
             vm_memory_high_watermark.relative = 0.4\n\
             # A write-ahead log of 512 MB, the default, is too much for a throw-away node.\n\
             raft.wal_max_size_bytes = 33554432\n\
             log.console = false\n\
             log.file = {log}\n\
             log.file.level = info\n",
            definitions = definitions.display(),
            log = log.display(),
        )
    }
}

/// Definitions of users and virtual hosts alone.
pub(super) fn without_topology(mut definitions: Value) -> Value {
    if let Some(sections) = definitions.as_object_mut() {
        for section in ["queues", "exchanges", "bindings", "policies"] {
            sections.remove(section);
        }
    }
    definitions
}

/// The caller's definitions with the node's user in them, an administrator of every virtual host. Definitions without
/// a virtual host get "/".
pub(super) fn with_user(mut definitions: Value, password: &str) -> Result<Value> {
    let sections = definitions.as_object_mut().context("broker definitions must be a JSON object")?;
    let mut section = |name: &str| {
        let list = sections.entry(name).or_insert_with(|| json!([])).as_array_mut();
        list.map(std::mem::take).with_context(|| format!("\"{name}\" in the broker definitions must be a list"))
    };
    let (mut vhosts, mut users, mut permissions) = (section("vhosts")?, section("users")?, section("permissions")?);
    if vhosts.is_empty() {
        vhosts.push(json!({ "name": "/" }));
    }
    users.push(json!({ "name": USER, "password": password, "tags": "administrator" }));
    for vhost in &vhosts {
        let all = json!({ "user": USER, "vhost": vhost["name"], "configure": ".*", "write": ".*", "read": ".*" });
        permissions.push(all);
    }
    sections.extend([
        ("vhosts".to_owned(), Value::Array(vhosts)),
        ("users".to_owned(), Value::Array(users)),
        ("permissions".to_owned(), Value::Array(permissions)),
    ]);
    Ok(definitions)
}

/// The first virtual host of the definitions.
pub(super) fn first_vhost(definitions: &Value) -> &str {
    definitions["vhosts"][0]["name"].as_str().unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_may_do_everything_everywhere() {
        let given = json!({ "vhosts": [{ "name": "a" }, { "name": "b" }], "queues": [1] });
        let full = with_user(given, "secret").unwrap();
        assert_eq!(first_vhost(&full), "a");
        assert_eq!(full["users"][0]["name"], USER);
        assert_eq!(full["permissions"][1]["vhost"], "b");
        assert_eq!(full["queues"], json!([1]));
    }

    #[test]
    fn no_definitions_mean_the_default_virtual_host() {
        let full = with_user(json!({}), "secret").unwrap();
        assert_eq!(full["vhosts"], json!([{ "name": "/" }]));
        assert_eq!(first_vhost(&full), "/");
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(with_user(json!([]), "secret").is_err());
        assert!(with_user(json!({ "users": "me" }), "secret").is_err());
    }
}
