//! What a fleet is made of.

use std::path::PathBuf;

/// The services, and what all members have in common.
#[derive(Clone, Debug)]
pub struct FleetSpec {
    /// State of the services in `services`, logs of the members in `logs`. One fleet at a time runs in it.
    pub dir: PathBuf,
    /// The program: `std::env::current_exe()`, or in tests `env!("CARGO_BIN_EXE_docket")`.
    pub binary: PathBuf,
    /// The lanes of the topology.
    pub lanes: Vec<String>,
    /// PostgreSQL flushes to disk, and keeps what it has committed when it is killed.
    pub durable: bool,
    /// Variables of every member. Nothing else of this process's environment reaches them but PATH.
    pub env: Vec<(String, String)>,
}

impl FleetSpec {
    /// One lane, a durable database, the protocol five times shorter.
    pub fn new(dir: impl Into<PathBuf>, binary: impl Into<PathBuf>) -> Self {
        let spec = Self {
            dir: dir.into(),
            binary: binary.into(),
            lanes: vec!["default".to_owned()],
            durable: true,
            env: Vec::new(),
        };
        spec.env("DOCKET_PROFILE", "short")
    }

    /// Sets a variable of every member, instead of an earlier value.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        set(&mut self.env, name, value);
        self
    }
}

/// One process.
#[derive(Clone, Debug)]
pub struct MemberSpec {
    /// Its name: unique in the fleet, and that of its log.
    pub name: String,
    /// The command and its arguments, such as `["worker", "--slots", "4"]`; `--http` is added.
    pub args: Vec<String>,
    /// Its own variables, which win over the fleet's.
    pub env: Vec<(String, String)>,
    /// What runs it, such as `["ip", "netns", "exec", "far"]`, and becomes it; empty: nothing.
    pub under: Vec<String>,
}

impl MemberSpec {
    /// A command, whose arguments are separated by blanks.
    #[must_use]
    pub fn new(name: &str, command: &str) -> Self {
        let args = command.split_ascii_whitespace().map(str::to_owned).collect();
        Self { name: name.to_owned(), args, env: Vec::new(), under: Vec::new() }
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        set(&mut self.env, name, value);
        self
    }

    /// Runs it by another program, which must become it: who is killed is who was started.
    #[must_use]
    pub fn under(self, program: Vec<String>) -> Self {
        Self { under: program, ..self }
    }
}

fn set(env: &mut Vec<(String, String)>, name: &str, value: &str) {
    env.retain(|(known, _)| known != name);
    env.push((name.to_owned(), value.to_owned()));
}
