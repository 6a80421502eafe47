//! `docs/CONFIGURATION.md`, out of the catalogue.

use super::{
    catalogue::{catalogue, section, sections},
    setting::{ALL, Setting},
};

/// The whole page.
#[must_use]
pub fn reference() -> String {
    let tables: Vec<String> = sections().into_iter().map(table).collect();
    format!("{INTRODUCTION}\n## All settings\n\n{COLUMNS}\n{}", tables.join("\n"))
}

fn table(name: &str) -> String {
    let rows: Vec<String> = catalogue().filter(|setting| section(setting) == name).map(row).collect();
    format!(
        "### {name}\n\n| key and variable | takes | default | read by | meaning |\n|---|---|---|---|---|\n{}\n",
        rows.join("\n")
    )
}

fn row(setting: &Setting) -> String {
    let roles: Vec<&str> = setting.roles.iter().map(|role| role.as_str()).collect();
    let roles = if setting.roles == ALL { "all".to_owned() } else { roles.join(", ") };
    let default = setting.default.map(|text| format!("`{text}`")).unwrap_or_default();
    let (key, variable, doc) = (setting.file_key(), setting.variable, setting.doc.trim());
    let variables =
        if setting.is_secret() { format!("`{variable}`, `{variable}_FILE`") } else { format!("`{variable}`") };
    format!("| `{key}`<br>{variables} | {} | {default} | {roles} | {doc} |", setting.kind.describe())
}

const COLUMNS: &str = "\
The first name of a row is its key in the file, the second its variable. What has no default is not set until somebody sets it.
";

const INTRODUCTION: &str = include_str!("reference.md");
