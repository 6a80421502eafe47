//! What was applied: the table `refinery_schema_history`.

use super::{error::MigrateError, set::MigrationSet};
use tokio_postgres::Client;

/// A migration, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Migration {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
    /// The same in more detail.
    pub state: State,
}

/// How a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The database has it.
    Applied,
    /// The database lacks it.
    Missing,
    /// The database has it with another text.
    Changed,
    /// The database has it, this binary doesn't know it.
    Unknown,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) version: i32,
    name: String,
    checksum: String,
}

/// The shape is refinery's, so that its own tools can read it.
pub(super) const CREATE: &str = "create table if not exists refinery_schema_history \
    (version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))";

pub(super) const RECORD: &str = "insert into refinery_schema_history (version, name, applied_on, checksum) \
    values ($1, $2, to_char(now() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), $3)";

/// The table of the schema in use; one of a schema further down the search path doesn't count.
const IS_THERE: &str = "select exists (select 1 from pg_class where relname = 'refinery_schema_history' \
    and relnamespace = to_regnamespace(quote_ident(current_schema())))";

/// The newest migration that the database has; none: it has no schema of Docket.
///
/// # Errors
/// When the database fails.
pub async fn applied(client: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    Ok(read(client).await?.last().map(|record| record.version))
}

/// All rows, in order.
pub(super) async fn read(client: &Client) -> Result<Vec<Record>, tokio_postgres::Error> {
    if !client.query_one(IS_THERE, &[]).await?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let sql =
        "select version, coalesce(name, ''), coalesce(checksum, '') from refinery_schema_history order by version";
    let rows = client.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| Record { version: row.get(0), name: row.get(1), checksum: row.get(2) }).collect())
}

/// How each migration stands, of the binary and of the database.
pub(super) fn compare(set: &MigrationSet, records: &[Record]) -> Vec<Migration> {
    let mut all: Vec<Migration> = set
        .iter()
        .map(|m| {
            let state = match records.iter().find(|record| record.version == m.version()) {
                None => State::Missing,
                Some(record) if record.name == m.name() && record.checksum == m.checksum().to_string() => {
                    State::Applied
                }
                Some(_) => State::Changed,
            };
            Migration { version: m.version(), name: m.name().to_owned(), applied: state != State::Missing, state }
        })
        .collect();
    let is_unknown = |record: &&Record| !set.iter().any(|m| m.version() == record.version);
    all.extend(records.iter().filter(is_unknown).map(|record| Migration {
        version: record.version,
        name: record.name.clone(),
        applied: true,
        state: State::Unknown,
    }));
    all.sort_by_key(|migration| migration.version);
    all
}

/// What the database lacks up to `to`, if all it has is what this binary holds.
pub(super) fn missing<'a>(
    set: &'a MigrationSet,
    records: &[Record],
    to: i32,
) -> Result<Vec<&'a refinery::Migration>, MigrateError> {
    let newest = records.last().map_or(i32::MIN, |record| record.version);
    for migration in compare(set, records) {
        let name = format!("V{}__{}", migration.version, migration.name);
        match migration.state {
            State::Changed => return Err(MigrateError::Changed(name)),
            State::Unknown if migration.version > set.newest() => {
                return Err(MigrateError::Newer { database: newest, binary: set.newest() });
            }
            State::Unknown => return Err(MigrateError::Changed(name)),
            State::Missing if migration.version < newest => return Err(MigrateError::Gap(name)),
            State::Missing | State::Applied => {}
        }
    }
    Ok(set.iter().filter(|m| m.version() > newest && m.version() <= to).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(files: &[&str]) -> MigrationSet {
        MigrationSet::of(&files.iter().map(|name| (*name, "select 1")).collect::<Vec<_>>()).unwrap()
    }

    fn records(set: &MigrationSet) -> Vec<Record> {
        let of = |m: &refinery::Migration| Record {
            version: m.version(),
            name: m.name().to_owned(),
            checksum: m.checksum().to_string(),
        };
        set.iter().map(of).collect()
    }

    #[test]
    fn what_is_missing_comes_in_order_up_to_the_limit() {
        let all = set(&["V3__c", "V1__a", "V2__b"]);
        let versions = |records: &[Record], to| -> Vec<i32> {
            missing(&all, records, to).unwrap().iter().map(|m| m.version()).collect()
        };
        assert_eq!(versions(&[], 9), [1, 2, 3]);
        assert_eq!(versions(&[], 2), [1, 2]);
        assert_eq!(versions(&records(&set(&["V1__a"])), 9), [2, 3]);
        assert_eq!(versions(&records(&all), 9), [0; 0]);
    }

    #[test]
    fn what_doesnt_fit_is_refused() {
        let all = set(&["V1__a", "V2__b"]);
        let refused = |other: &[&str]| missing(&all, &records(&set(other)), 9).unwrap_err();
        assert!(matches!(refused(&["V1__a", "V2__b", "V3__c"]), MigrateError::Newer { database: 3, binary: 2 }));
        assert!(matches!(refused(&["V1__other"]), MigrateError::Changed(name) if name == "V1__a"));
        assert!(matches!(refused(&["V2__b"]), MigrateError::Gap(name) if name == "V1__a"));
        let states: Vec<State> = compare(&all, &records(&set(&["V1__x", "V7__z"]))).iter().map(|m| m.state).collect();
        assert_eq!(states, [State::Changed, State::Missing, State::Unknown]);
    }
}
