//! Reading variables, so that sections can be tested without touching the process's environment.

use secrecy::SecretString;
use std::{collections::BTreeMap, str::FromStr, time::Duration};

/// A variable that can't be used. The text names it and says what it should be; it never shows a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    /// The variable.
    pub name: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(name: &str, problem: impl Into<String>) -> Self {
        Self { name: name.to_owned(), problem: problem.into() }
    }
}

/// The variables.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process. A variable that is empty or only white space counts as not set.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Sets a variable that is not set yet.
    pub fn set_default(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    /// All but these.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    /// Names and values, for a child process.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn parse<T: FromStr>(&self, name: &str, default: T, shape: &str) -> Result<T, ConfigError> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => {
                let shown: String = text.chars().take(60).collect();
                text.parse().map_err(|_| ConfigError::new(name, format!("{shown:?} is not {shape}")))
            }
        }
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
        let text =
            std::fs::read_to_string(path).map_err(|e| ConfigError::new(&file, format!("can't read {path}: {e}")))?;
        match text.trim() {
            "" => Err(ConfigError::new(&file, format!("{path} is empty"))),
            secret => Ok(Some(secret.to_owned().into())),
        }
    }

    /// A time such as `500ms`, `30s`, `5m`, `2h`.
    pub(super) fn duration(&self, name: &str, default: Duration) -> Result<Duration, ConfigError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        duration(text).ok_or_else(|| {
            ConfigError::new(name, "not a time: write a number and its unit, such as 500ms, 30s, 5m or 2h")
        })
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(vars: I) -> Self {
        Self(vars.into_iter().collect())
    }
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
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
    fn times_have_units() {
        let seconds = |text| duration(text).map(|d| d.as_secs_f64());
        assert_eq!(
            [seconds("500ms"), seconds("30s"), seconds("5m"), seconds("2h")],
            [Some(0.5), Some(30.0), Some(300.0), Some(7200.0)]
        );
        for bad in ["", "5", "-5s", "5 s", "5d", "s", "99999999999999999999s"] {
            assert_eq!(duration(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        let error = env(&[("DOCKET_SLOTS", "many")]).parse("DOCKET_SLOTS", 1_u32, "a number").unwrap_err();
        assert_eq!(error.to_string(), "DOCKET_SLOTS: \"many\" is not a number");
        assert_eq!(env(&[("X", "  ")]).get("X"), None);
    }

    #[test]
    fn secrets_come_from_a_file_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let read = || env(&[("T_FILE", path.to_str().unwrap())]).secret("T");
        assert!(read().is_err(), "missing");
        std::fs::write(&path, "\n").unwrap();
        assert!(read().is_err(), "empty");
        std::fs::write(&path, "s3cret\n").unwrap();
        assert!(read().unwrap().is_some());
        assert!(env(&[]).secret("T").unwrap().is_none());
    }
}
