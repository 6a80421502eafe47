//! How a process logs, by variables whose values `config` may also have from a file or a flag.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DOCKET_LOG` | levels by module, such as `debug` or `info,docket::fleet=debug` | `info`, libraries `warn` |
//! | `DOCKET_LOG_FORMAT` | `auto`, `console` or `json` | `auto`: console on a terminal, JSON otherwise |
//! | `DOCKET_LOG_SUCCESSES` | lines of completed attempts a second; what is above is left out and counted | `100` |
//! | `NO_COLOR` | when set and not empty, no colour | |

use super::init::{LogError, filter};
use std::io::IsTerminal;

/// The shape of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Console on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Console,
    /// Bunyan JSON.
    Json,
}

impl std::str::FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "" | "auto" => Ok(Self::Auto),
            "console" => Ok(Self::Console),
            "json" => Ok(Self::Json),
            other => Err(LogError::Format(other.chars().take(40).collect())),
        }
    }
}

/// Where lines go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogOutput {
    /// For one-shot commands: their standard output is for their result.
    #[default]
    Stderr,
    /// For long-running roles.
    Stdout,
}

impl LogOutput {
    fn is_terminal(self) -> bool {
        match self {
            Self::Stderr => std::io::stderr().is_terminal(),
            Self::Stdout => std::io::stdout().is_terminal(),
        }
    }
}

/// What [`init`](super::init()) needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// The shape of a line.
    pub format: LogFormat,
    /// Levels by module, in the syntax of `tracing_subscriber::EnvFilter`; added to the defaults.
    pub filter: String,
    /// Where lines go.
    pub output: LogOutput,
    /// No colour, even on a terminal.
    pub no_color: bool,
    /// Lines of completed attempts a second; none: the default of
    /// [`sample_successes`](super::super::sample_successes).
    pub successes_per_second: Option<u32>,
}

impl LogSettings {
    /// Reads the variables of this module through `lookup`.
    ///
    /// # Errors
    /// When the format is none, or the filter can't be read.
    pub fn from_lookup(output: LogOutput, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, LogError> {
        let directives = lookup("DOCKET_LOG").unwrap_or_default();
        filter(&directives)?;
        Ok(Self {
            format: lookup("DOCKET_LOG_FORMAT").unwrap_or_default().parse()?,
            filter: directives,
            output,
            no_color: lookup("NO_COLOR").is_some_and(|value| !value.is_empty()),
            successes_per_second: successes(lookup("DOCKET_LOG_SUCCESSES").as_deref().map(str::trim))?,
        })
    }

    pub(super) fn json(&self) -> bool {
        match self.format {
            LogFormat::Json => true,
            LogFormat::Console => false,
            LogFormat::Auto => !self.output.is_terminal(),
        }
    }

    pub(super) fn color(&self) -> bool {
        !self.no_color && self.output.is_terminal()
    }
}

fn successes(text: Option<&str>) -> Result<Option<u32>, LogError> {
    let number = |text: &str| text.parse().map_err(|_| LogError::Successes(text.chars().take(40).collect()));
    text.filter(|text| !text.is_empty()).map(number).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<LogSettings, LogError> {
        let find = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        LogSettings::from_lookup(LogOutput::Stderr, find)
    }

    #[test]
    fn the_environment_decides() {
        let settings =
            read(&[("DOCKET_LOG", "debug"), ("DOCKET_LOG_FORMAT", "json"), ("NO_COLOR", "1")]).expect("fine");
        assert!(settings.json() && !settings.color());
        assert_eq!(settings.filter, "debug");
        assert!(!read(&[("DOCKET_LOG_FORMAT", "console"), ("NO_COLOR", "")]).expect("fine").json());
    }

    #[test]
    fn an_unknown_format_says_which_exist() {
        let error = read(&[("DOCKET_LOG_FORMAT", "xml")]).expect_err("no such format").to_string();
        assert!(error.contains("xml") && error.contains("console"), "{error}");
    }
}
