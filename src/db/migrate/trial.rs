//! Trying what a schema must refuse.

use super::error::MigrateError;
use serde::Serialize;
use tokio_postgres::{Transaction, error::SqlState};

/// Something that a schema must refuse, or must allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// In words.
    pub what: String,
    /// The first version of the schema that answers so.
    pub since: i32,
    /// What comes first, and must work.
    pub given: String,
    /// What is tried.
    pub sql: String,
    /// The answer.
    pub expected: Expected,
}

/// The answer to a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The schema refuses.
    Refused,
    /// The schema allows it: the rule must not be stricter than the program.
    Allowed,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// In words.
    pub what: String,
    /// The answer that is right.
    pub expected: Expected,
    /// The answer.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Whether it is the right one.
    pub ok: bool,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It went through.
    Allowed,
    /// It was refused.
    Refused {
        /// The constraint's name, or the server's words where none has one.
        by: String,
    },
    /// It could not be tried.
    Broken {
        /// Why.
        error: String,
    },
}

/// Tries it, and takes it back.
pub(super) async fn run(transaction: &Transaction<'_>, trial: &Trial) -> Result<Tried, MigrateError> {
    transaction.batch_execute("savepoint trial").await.map_err(MigrateError::of)?;
    let outcome = match transaction.batch_execute(&trial.given).await {
        Err(e) => Outcome::Broken { error: super::super::describe(&e) },
        Ok(()) => match transaction.batch_execute(&trial.sql).await {
            Ok(()) => Outcome::Allowed,
            Err(e) => refusal(&e),
        },
    };
    transaction.batch_execute("rollback to savepoint trial").await.map_err(MigrateError::of)?;
    let ok = matches!(
        (&outcome, trial.expected),
        (Outcome::Refused { .. }, Expected::Refused) | (Outcome::Allowed, Expected::Allowed)
    );
    Ok(Tried { what: trial.what.clone(), expected: trial.expected, outcome, ok })
}

/// A rule's refusal. Any other error says nothing of the rules.
fn refusal(error: &tokio_postgres::Error) -> Outcome {
    let (said, db) = (super::super::describe(error), error.as_db_error());
    let by_rule = [SqlState::INVALID_TEXT_REPRESENTATION, SqlState::GENERATED_ALWAYS];
    match db {
        Some(db) if db.code().code().starts_with("23") || by_rule.contains(db.code()) => {
            let column = || db.column().map(|column| format!("{}.{column} not null", db.table().unwrap_or_default()));
            Outcome::Refused { by: db.constraint().map(str::to_owned).or_else(column).unwrap_or(said) }
        }
        _ => Outcome::Broken { error: said },
    }
}
