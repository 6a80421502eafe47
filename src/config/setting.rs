//! One setting, as the catalogue has it.

use super::kind::Kind;

/// Who reads a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `docket scheduler`
    Scheduler,
    /// `docket worker`
    Worker,
    /// `docket server`
    Server,
    /// One-shot commands.
    Command,
}

impl Role {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduler => "scheduler",
            Self::Worker => "worker",
            Self::Server => "server",
            Self::Command => "commands",
        }
    }
}

/// The roles that run on.
pub(super) const ROLES: &[Role] = &[Role::Scheduler, Role::Worker, Role::Server];
/// All of them.
pub(super) const ALL: &[Role] = &[Role::Scheduler, Role::Worker, Role::Server, Role::Command];
/// The scheduler alone.
pub(super) const SCHEDULER: &[Role] = &[Role::Scheduler];
/// The worker alone.
pub(super) const WORKER: &[Role] = &[Role::Worker];
/// Who talks to the broker about jobs.
pub(super) const BOTH: &[Role] = &[Role::Scheduler, Role::Worker];
/// One-shot commands alone.
pub(super) const COMMAND: &[Role] = &[Role::Command];

/// One setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its name in the file: `section.name`.
    pub key: &'static str,
    /// Its variable.
    pub variable: &'static str,
    /// What its text may be.
    pub kind: Kind,
    /// Its text when nobody sets it; none: it is not set then.
    pub default: Option<&'static str>,
    /// Who reads it.
    pub roles: &'static [Role],
    /// What it means, and what too much and too little of it do.
    pub doc: &'static str,
}

impl Setting {
    /// Whether nobody may see its value.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// The key under which the file may name it: a secret's is that of the file that holds it.
    #[must_use]
    pub fn file_key(&self) -> String {
        if self.is_secret() { format!("{}_file", self.key) } else { self.key.to_owned() }
    }

    /// The variable that the file's key stands for.
    #[must_use]
    pub fn file_variable(&self) -> String {
        if self.is_secret() { format!("{}_FILE", self.variable) } else { self.variable.to_owned() }
    }
}

/// The settings of a file, each with its doc above it: key, variable, default, kind, roles.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $key:literal $variable:literal $(= $default:literal)?, $kind:expr, $roles:expr;)*) => {
        /// What can be set.
        pub(super) static SETTINGS: &[$crate::config::Setting] = &[$($crate::config::Setting {
            key: $key,
            variable: $variable,
            kind: $kind,
            default: $crate::config::setting::default_text!($($default)?),
            roles: $roles,
            doc: concat!($($doc),+),
        }),*];
    };
}

/// A default, or none.
macro_rules! default_text {
    () => {
        None
    };
    ($text:literal) => {
        Some($text)
    };
}

pub(super) use {default_text, settings};
