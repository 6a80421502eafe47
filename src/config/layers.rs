//! The layers: defaults, the file, variables, flags. Each wins over those before it.

use super::{
    catalogue::{by_variable, catalogue},
    civic, connections,
    file::{self, Parsed},
    fleet, gate, http, log,
    lookup::{ConfigError, Environment},
    models,
    origin::Origin,
    regular, rules,
    setting::{Role, Setting},
    unknown::{self, CONFIG},
    worker,
};
use crate::telemetry::LogOutput;
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct CommandLine {
    /// The file that `--config` names.
    pub config: Option<PathBuf>,
    /// Each `--set`, as it was typed.
    pub set: Vec<String>,
    /// Other flags that are settings: the flag, its variable and its value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// Everything that is wrong with a configuration: at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<ConfigError>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [only] => only.fmt(f),
            all => {
                write!(f, "{} problems with the configuration:", all.len())?;
                all.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// Puts the file below the variables of the process and the flags above them.
///
/// # Errors
/// All problems at once: a file that can't be read, names that there aren't, values that can't be used. When each value is
/// fine alone: those that contradict each other.
pub fn load(process: Environment, line: &CommandLine) -> Result<Environment, Problems> {
    let (env, problems) = look(process, line);
    if problems.is_empty() { Ok(env) } else { Err(Problems(problems)) }
}

/// The same for whoever goes on with what can be used: everything that is set, and all problems.
#[must_use]
pub fn look(process: Environment, line: &CommandLine) -> (Environment, Vec<ConfigError>) {
    let named = line.config.clone().or_else(|| process.get(CONFIG).map(PathBuf::from));
    let path = named.or_else(|| file::find(&file::PLACES)).filter(|path| path != Path::new(file::NONE));
    let file = path.map(|path| {
        let parsed = read(&path);
        (path, parsed)
    });
    layered(process, file, line)
}

/// As [`load`], with the text of a file in place of the file that would be looked for: nothing is read.
///
/// # Errors
/// All problems at once.
pub fn load_text(process: Environment, text: &str, line: &CommandLine) -> Result<Environment, Problems> {
    let path = PathBuf::from("docket.toml");
    let parsed = file::parse(&path, text);
    let (env, problems) = layered(process, Some((path, parsed)), line);
    if problems.is_empty() { Ok(env) } else { Err(Problems(problems)) }
}

fn layered(
    process: Environment,
    file: Option<(PathBuf, Parsed)>,
    line: &CommandLine,
) -> (Environment, Vec<ConfigError>) {
    let mut problems = process.unreadable();
    problems.extend(unknown::unknown(process.iter()));
    let mut env = process;
    if let Some((path, Parsed { entries, problems: found })) = file {
        problems.extend(found);
        for file::Entry { variable, text, line } in entries {
            if env.origin(&variable).is_none() && secret_of(&variable).is_none_or(|secret| env.origin(secret).is_none())
            {
                env.set(&variable, &text, Origin::File { path: path.display().to_string(), line });
            }
        }
    }
    for text in &line.set {
        problems.extend(set(&mut env, text).err());
    }
    for (flag, variable, value) in &line.flags {
        env.set(variable, value, Origin::Flag((*flag).to_owned()));
    }
    problems.extend(catalogue().filter_map(|setting| env.check(setting).err()));
    if problems.is_empty() {
        problems = together(&env);
    }
    let problems = located(&env, problems);
    (env, problems)
}

/// What is wrong with a file alone, without the process's environment.
///
/// # Errors
/// All problems, each with its line where it has one.
pub fn check_file(path: &Path) -> Result<(), Problems> {
    // A file that is called like the word for no file.
    let path = if path == Path::new(file::NONE) { Path::new("./none") } else { path };
    load(Environment::default(), &CommandLine { config: Some(path.to_owned()), ..CommandLine::default() }).map(drop)
}

/// What a role would stumble over one after the other at its start: servers that are not named, secrets that can't be
/// read, a summariser without its prices.
///
/// # Errors
/// All problems at once.
pub fn verify(env: &Environment, role: Role) -> Result<(), Problems> {
    let mut problems = Vec::new();
    if role != Role::Command {
        problems.extend(connections::database_url(env).err());
        problems.extend(connections::amqp_needed(env).err());
        problems.extend(http::http(env, None, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).err());
    }
    if role == Role::Worker {
        problems.extend(civic::civic(env).err());
    }
    if role == Role::Scheduler {
        problems.extend(models::budgets(env).err());
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(located(env, problems))) }
}

fn read(path: &Path) -> Parsed {
    match regular::text(path) {
        Ok(text) => file::parse(path, &text),
        Err(problem) => {
            Parsed { problems: vec![ConfigError::new("the configuration file", problem)], ..Parsed::default() }
        }
    }
}

/// The variable of the secret whose file this one names.
fn secret_of(variable: &str) -> Option<&'static str> {
    by_variable(variable).filter(|setting| setting.variable != variable).map(|setting| setting.variable)
}

/// One `--set`. Its value is not quoted: it may be a secret, although it should not.
fn set(env: &mut Environment, text: &str) -> Result<(), ConfigError> {
    let refuse = |problem: String| Err(ConfigError::new("--set", problem));
    let Some((key, value)) = text.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
        return refuse("there is no = in it: write KEY=VALUE, such as fleet.lease=20s".to_owned());
    };
    let setting = catalogue().find(|setting| setting.file_key() == key || setting.key == key);
    let shown: String = key.chars().take(80).flat_map(char::escape_debug).collect();
    match setting {
        None => refuse(format!("{shown}: {}", file::unknown(key))),
        Some(secret) if secret.is_secret() && secret.key == key => refuse(format!(
            "{shown}: other users of this machine can read a process's arguments: set {} or {}",
            secret.variable,
            secret.file_variable()
        )),
        Some(_) if value.is_empty() => refuse(format!("{shown}: the value is empty; leave the flag out instead")),
        Some(setting) => {
            if setting.is_secret() {
                // A flag wins over a variable, also where they are two ways to the same secret.
                *env = std::mem::take(env).without(&[setting.variable]);
            }
            env.set(&setting.file_variable(), value, Origin::Flag(format!("--set {key}")));
            Ok(())
        }
    }
}

/// What is wrong with values that are each fine alone.
fn together(env: &Environment) -> Vec<ConfigError> {
    let config = match fleet::read(env) {
        Ok(config) => config,
        Err(error) => return vec![error],
    };
    let mut problems = rules::fleet(&config);
    problems.extend(civic::allowed(env).err());
    problems.extend(http::rates(env).err());
    problems.extend(gate::max_pending(env).err());
    problems.extend(log::log(env, LogOutput::Stderr).err());
    match worker::worker(env, config.topology.lanes()) {
        Ok(worker) => problems.extend(rules::slots(worker.slots, &config.protocol)),
        Err(error) => problems.push(error),
    }
    problems
}

/// Names each problem by the place where its setting was made.
fn located(env: &Environment, problems: Vec<ConfigError>) -> Vec<ConfigError> {
    let place = |error: &ConfigError| match (env.origin(&error.name)?, by_variable(&error.name)?) {
        (Origin::Variable, _) => None,
        (origin @ Origin::File { .. }, setting) => Some(format!("{origin}: {}", key_of(setting, &error.name))),
        (origin @ Origin::Flag(_), _) => Some(origin.to_string()),
    };
    let locate = |error: ConfigError| match place(&error) {
        Some(name) => ConfigError { name, ..error },
        None => error,
    };
    problems.into_iter().map(locate).collect()
}

fn key_of(setting: &Setting, variable: &str) -> String {
    if setting.variable == variable { setting.key.to_owned() } else { setting.file_key() }
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    fn loaded(file: &str, vars: &[(&str, &str)], set: &[&str]) -> Result<Environment, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, file).unwrap();
        let set = set.iter().map(|text| (*text).to_owned()).collect();
        let line = CommandLine { config: Some(path.clone()), set, ..CommandLine::default() };
        load(env(vars), &line).map_err(|problems| problems.to_string().replace(&*path.display().to_string(), "f"))
    }

    #[test]
    fn flags_win_over_variables_over_the_file_over_defaults() {
        let file = "[fleet]\nlease = \"20s\"\ngrace = \"40s\"\nstatement = \"11s\"\n";
        let vars = [("DOCKET_LEASE", "30s"), ("DOCKET_GRACE", "50s"), ("DOCKET_STATEMENT", " ")];
        let env = loaded(file, &vars, &["fleet.grace=1m"]).unwrap();
        let found = |name: &str| (env.get(name).unwrap_or("-").to_owned(), env.origin(name).cloned());
        assert_eq!(found("DOCKET_LEASE"), ("30s".to_owned(), Some(Origin::Variable)));
        assert_eq!(found("DOCKET_GRACE"), ("1m".to_owned(), Some(Origin::Flag("--set fleet.grace".to_owned()))));
        let (statement, origin) = found("DOCKET_STATEMENT");
        assert_eq!(statement, "11s", "an empty variable is not set");
        assert!(matches!(origin, Some(Origin::File { line: 4, .. })), "{origin:?}");
        assert_eq!(found("DOCKET_SWEEP"), ("-".to_owned(), None));
    }

    #[test]
    fn a_flag_of_the_command_wins_over_set() {
        let flags = vec![("--slots", "DOCKET_SLOTS", "9".to_owned())];
        let line = CommandLine { config: Some("none".into()), set: vec!["worker.slots=8".to_owned()], flags };
        assert_eq!(load(env(&[]), &line).unwrap().get("DOCKET_SLOTS"), Some("9"));
    }

    #[test]
    fn two_ways_to_one_secret_are_one_setting() {
        let file = "[http]\ntoken_file = \"/in/the/file\"\n";
        let has = |env: &Environment, name: &str| env.get(name).map(str::to_owned);
        let plain = loaded(file, &[("DOCKET_HTTP_TOKEN", "s3cret")], &[]).unwrap();
        assert_eq!(has(&plain, "DOCKET_HTTP_TOKEN_FILE"), None, "the variable wins");
        let other = loaded(file, &[("DOCKET_HTTP_TOKEN_FILE", "/of/the/variable")], &[]).unwrap();
        assert_eq!(has(&other, "DOCKET_HTTP_TOKEN_FILE").as_deref(), Some("/of/the/variable"));
        let flag = loaded(file, &[("DOCKET_HTTP_TOKEN", "s3cret")], &["http.token_file=/of/the/flag"]).unwrap();
        assert_eq!(
            (has(&flag, "DOCKET_HTTP_TOKEN"), has(&flag, "DOCKET_HTTP_TOKEN_FILE").as_deref()),
            (None, Some("/of/the/flag"))
        );
    }

    #[test]
    fn all_problems_are_told_at_once_each_with_its_place() {
        let file = "[fleet]\nleese = \"20s\"\n[worker]\nslots = 0\n";
        let vars = [("DOCKET_GRACE", "soon"), ("DOCKET_LOG_FROMAT", "json")];
        let told = loaded(file, &vars, &["fleet.sweep=0s", "oops", "http.token=hunter2"]).unwrap_err();
        let lines = [
            "7 problems",
            "DOCKET_LOG_FROMAT: no such variable; did you mean DOCKET_LOG_FORMAT?",
            "f:2: fleet.leese: no such setting; did you mean fleet.lease?",
            "f:4: worker.slots: 0 is not from 1 to 10000",
            "DOCKET_GRACE: not a time",
            "--set fleet.sweep: 0s is not from 1ms",
            "--set: there is no =",
            "--set: http.token: other users",
        ];
        for line in lines {
            assert!(told.contains(line), "{line} is not in {told}");
        }
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn contradictions_are_told_where_they_were_made() {
        let told = loaded("[fleet]\n\nlease = \"5s\"\n", &[("DOCKET_WINDOW_MAX", "20")], &[]).unwrap_err();
        assert!(told.contains("f:3: fleet.lease: 5s is shorter than three heartbeats"), "{told}");
        assert!(told.contains("DOCKET_WINDOW_MAX: 20 is less than twice worker.slots (16)"), "{told}");
        assert!(
            loaded("", &[], &["fleet.lanes=a,b", "worker.lanes=c"])
                .unwrap_err()
                .contains("--set worker.lanes: unknown lane")
        );
        assert!(loaded("[civic]\nallow_hosts = [\"x\"]", &[], &[]).unwrap_err().contains("f:2: civic.allow_hosts"));
        assert!(loaded("[log]\nfilter = \"docket=loud\"", &[], &[]).unwrap_err().contains("f:2: log.filter"));
    }

    #[test]
    fn a_role_is_told_all_that_it_lacks() {
        let vars = [("DOCKET_HTTP_TOKEN_FILE", "/nowhere"), ("DOCKET_SUMMARISER", "openai")];
        let told = verify(&env(&vars), Role::Worker).unwrap_err().to_string();
        for name in ["4 problems", "DATABASE_URL", "AMQP_URL", "DOCKET_HTTP_TOKEN_FILE", "DOCKET_OPENAI_MODEL"] {
            assert!(told.contains(name), "{name} is not in {told}");
        }
        assert_eq!(verify(&env(&vars), Role::Command), Ok(()));
    }
}
