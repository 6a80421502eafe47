//! Reading settings by their variables' names, wherever they come from, so that sections can be tested without touching
//! the process's environment.

use super::{
    catalogue::by_variable,
    kind::quoted,
    origin::Origin,
    regular,
    setting::Setting,
    units::{duration, size},
};
use secrecy::SecretString;
use std::{collections::BTreeMap, path::Path, str::FromStr, time::Duration};

/// A setting that can't be used. The text names it and says what it should be; it never shows a secret.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    /// The variable, or where else the setting was made.
    pub name: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }
}

/// What is set, by the names of variables: those of the process, with the file below and the flags above them once
/// [`load`](super::load()) has put them there.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    vars: BTreeMap<String, (String, Origin)>,
    /// Variables of Docket whose values are not UTF-8.
    unreadable: Vec<String>,
    /// What was asked for, for the test that every setting is read.
    #[cfg(test)]
    pub(super) read: std::sync::Arc<std::sync::Mutex<std::collections::BTreeSet<String>>>,
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let mut env = Self::default();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => env.set(&name, &value, Origin::Variable),
                Err(_) if by_variable(&name).is_some() => env.unreadable.push(name),
                Err(_) => {}
            }
        }
        env
    }

    pub(super) fn unreadable(&self) -> Vec<ConfigError> {
        self.unreadable.iter().map(|name| ConfigError::new(name, "its value is not UTF-8")).collect()
    }

    /// The value of a variable. One that is empty or only white space counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        #[cfg(test)]
        self.read.lock().expect("no test panics while it holds this").insert(name.to_owned());
        self.vars.get(name).map(|(value, _)| value.trim()).filter(|value| !value.is_empty())
    }

    /// Where the value of a variable comes from; none: it is not set.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.vars.get(name).filter(|(value, _)| !value.trim().is_empty()).map(|(_, origin)| origin)
    }

    /// Sets a variable that is not set yet.
    pub fn set_default(&mut self, name: &str, value: &str) {
        if self.origin(name).is_none() {
            self.set(name, value, Origin::Variable);
        }
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, name: &str, value: &str, origin: Origin) {
        self.vars.insert(name.to_owned(), (value.to_owned(), origin));
    }

    /// All but these.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.vars.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    /// Names and values, for a child process.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(name, (value, _))| (name.as_str(), value.as_str()))
    }

    /// Refuses a value that is not what the catalogue says.
    pub(super) fn check(&self, setting: &Setting) -> Result<(), ConfigError> {
        let text = self.vars.get(setting.variable).map_or("", |(value, _)| value.trim());
        if text.is_empty() {
            return Ok(());
        }
        setting.kind.check(text).map_err(|problem| ConfigError::new(setting.variable, problem))
    }

    pub(super) fn parse<T: FromStr>(&self, name: &str, default: T, shape: &str) -> Result<T, ConfigError> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| ConfigError::new(name, format!("{} is not {shape}", quoted(text)))),
        }
    }

    /// The words of a list that is separated by commas, without blanks around them; empty ones don't count.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty())
    }

    pub(super) fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, ConfigError> {
        self.parse(name, default, "a whole number")
    }

    /// A secret from the variable itself, or from the file that `<name>_FILE` names.
    pub(super) fn secret(&self, name: &str) -> Result<Option<SecretString>, ConfigError> {
        if let Some(value) = self.get(name) {
            return Ok(Some(value.to_owned().into()));
        }
        let file = format!("{name}_FILE");
        let Some(path) = self.get(&file) else { return Ok(None) };
        regular::secret(Path::new(path)).map(Some).map_err(|problem| ConfigError::new(file, problem))
    }

    /// A time such as `500ms`, `30s`, `5m`, `2h`.
    pub(super) fn duration(&self, name: &str, default: Duration) -> Result<Duration, ConfigError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        duration(text).ok_or_else(|| {
            ConfigError::new(name, "not a time: write a number and its unit, such as 500ms, 30s, 5m or 2h")
        })
    }

    /// A size such as `512B`, `64KiB`, `1MiB`, in bytes.
    pub(super) fn size(&self, name: &str, default: usize) -> Result<usize, ConfigError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        size(text).and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| {
            ConfigError::new(name, "not a size: write a number and its unit, such as 512B, 64KiB or 1MiB")
        })
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(vars: I) -> Self {
        let mut env = Self::default();
        vars.into_iter().for_each(|(name, value)| env.set(&name, &value, Origin::Variable));
        env
    }
}

#[cfg(test)]
pub(super) fn env(vars: &[(&str, &str)]) -> Environment {
    vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_names_its_variable() {
        let error = env(&[("DOCKET_SLOTS", "many")]).parse("DOCKET_SLOTS", 1_u32, "a number").unwrap_err();
        assert_eq!(error.to_string(), "DOCKET_SLOTS: \"many\" is not a number");
        assert_eq!(env(&[("X", "  ")]).get("X"), None);
    }

    #[test]
    fn a_default_fills_what_is_empty_and_nothing_else() {
        let mut vars = env(&[("A", "1"), ("B", " ")]);
        for name in ["A", "B", "C"] {
            vars.set_default(name, "2");
        }
        assert_eq!(["A", "B", "C"].map(|name| vars.get(name)), [Some("1"), Some("2"), Some("2")]);
    }

    #[test]
    fn a_variable_wins_over_the_file_that_another_one_names() {
        let vars = env(&[("T", "s3cret"), ("T_FILE", "/nowhere")]);
        assert!(vars.secret("T").unwrap().is_some());
        assert_eq!(env(&[("T_FILE", "/nowhere")]).secret("T").unwrap_err().name, "T_FILE");
        assert!(env(&[]).secret("T").unwrap().is_none());
    }
}
