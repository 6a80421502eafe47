//! What is in force, and where it was set.

use super::{catalogue::catalogue, lookup::Environment, origin::Origin, protocol, setting::Setting};
use crate::fleet::settings::Protocol;
use serde::Serialize;

/// A setting as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its key.
    pub key: &'static str,
    /// Its variable.
    pub variable: &'static str,
    /// Its value; none: it is not set, and has no default. A secret's is only said to be there.
    pub value: Option<String>,
    /// Where it was set: a file and its line, a variable, a flag; else `default`, or `not set`.
    pub origin: String,
    /// Whether anybody set it.
    pub changed: bool,
}

/// What stands in the place of a secret.
const HIDDEN: &str = "(set, hidden)";

/// All settings as they are in force.
#[must_use]
pub fn show(env: &Environment) -> Vec<Shown> {
    catalogue().map(|setting| shown(env, setting)).collect()
}

fn shown(env: &Environment, setting: &Setting) -> Shown {
    let Setting { key, variable, .. } = *setting;
    let names = if setting.is_secret() {
        vec![variable.to_owned(), setting.file_variable()]
    } else {
        vec![variable.to_owned()]
    };
    let Some((name, origin)) = names.iter().find_map(|name| Some((name, env.origin(name)?))) else {
        let (value, origin) = default(env, setting);
        return Shown { key, variable, value, origin, changed: false };
    };
    let value = if setting.is_secret() { HIDDEN.to_owned() } else { env.get(name).unwrap_or_default().to_owned() };
    let origin = match origin {
        Origin::Variable => name.clone(),
        other => other.to_string(),
    };
    Shown { key, variable, value: Some(value), origin, changed: true }
}

/// The profile is a default of the protocol's times.
fn default(env: &Environment, setting: &Setting) -> (Option<String>, String) {
    let usual = setting.default.map(str::to_owned);
    let short = (env.get("DOCKET_PROFILE") == Some("short"))
        .then(|| protocol::text(&Protocol::five_times_shorter(), setting.variable))
        .flatten();
    match short {
        Some(short) if usual.as_ref() != Some(&short) => (Some(short), "fleet.profile = short".to_owned()),
        _ if usual.is_none() => (None, "not set".to_owned()),
        _ => (usual, "default".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    fn of(vars: &[(&str, &str)], key: &str) -> Shown {
        show(&env(vars)).into_iter().find(|shown| shown.key == key).unwrap()
    }

    #[test]
    fn each_value_has_its_origin() {
        let lease = of(&[], "fleet.lease");
        assert_eq!((lease.value.as_deref(), &*lease.origin, lease.changed), (Some("15s"), "default", false));
        let lease = of(&[("DOCKET_LEASE", "20s")], "fleet.lease");
        assert_eq!((lease.value.as_deref(), &*lease.origin, lease.changed), (Some("20s"), "DOCKET_LEASE", true));
        let lease = of(&[("DOCKET_PROFILE", "short")], "fleet.lease");
        assert_eq!((lease.value.as_deref(), &*lease.origin), (Some("3s"), "fleet.profile = short"));
        let statement = of(&[("DOCKET_PROFILE", "short")], "fleet.statement");
        assert_eq!((statement.value.as_deref(), &*statement.origin), (Some("10s"), "default"));
    }

    #[test]
    fn secrets_are_said_to_be_there_and_never_shown() {
        let vars = [
            ("DATABASE_URL", "postgres://u:hunter2@h/d"),
            ("AMQP_URL_FILE", "/run/amqp"),
            ("DOCKET_HTTP_TOKEN", "hunter2"),
            ("DOCKET_OPENAI_KEY", "hunter2"),
            ("DOCKET_MANAGEMENT_URL", "http://u:hunter2@h"),
        ];
        let all = serde_json::to_string(&show(&env(&vars))).unwrap();
        assert!(!all.contains("hunter2"), "{all}");
        assert_eq!(all.matches(HIDDEN).count(), 5);
        assert_eq!(of(&vars, "broker.url").origin, "AMQP_URL_FILE");
        assert_eq!(of(&[], "database.url").value, None);
    }
}
