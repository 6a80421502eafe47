//! Which tables a file is about.

use super::{error::MigrateError, script::words, set::script};
use std::collections::BTreeSet;
use tokio_postgres::Client;

/// The ledger's tables make sense only together: an attempt is keyed by its job's epoch, and a job in flight is found
/// through its message.
const LEDGER: [&str; 4] = ["jobs", "job_messages", "job_attempts", "job_events"];

const TABLES: &str = "select relname::text, greatest(reltuples, 0)::bigint from pg_class \
    where relnamespace = to_regnamespace(quote_ident(current_schema())) and relkind in ('r', 'p') order by 1";

/// What refers to these tables, and what reads them: it would be in the way of their return.
const DEPENDENTS: &str = "\
with recursive t(oid) as (
  select oid from pg_class where relname = any($1) and relnamespace = to_regnamespace(quote_ident(current_schema()))
  union
  select d.oid from t cross join lateral (
    select conrelid as oid from pg_constraint where contype = 'f' and confrelid = t.oid
    union
    select r.ev_class from pg_depend p join pg_rewrite r on r.oid = p.objid
    where p.classid = 'pg_rewrite'::regclass and p.refclassid = 'pg_class'::regclass and p.refobjid = t.oid
  ) d
)
select c.relname::text from t join pg_class c on c.oid = t.oid order by 1";

/// A table that is there, and about how many rows it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) rows: i64,
}

/// The tables of the schema.
pub(super) async fn tables(client: &Client) -> Result<Vec<Table>, MigrateError> {
    let rows = client.query(TABLES, &[]).await.map_err(MigrateError::of)?;
    Ok(rows.iter().map(|row| Table { name: row.get(0), rows: row.get(1) }).collect())
}

/// Those of `tables` that some statement names. A table that is named without being changed counts too: a backup with a
/// table too many does no harm.
pub(super) fn named<'a>(statements: impl Iterator<Item = &'a str>, tables: &[Table]) -> Vec<Table> {
    let words: BTreeSet<String> = statements.flat_map(words).collect();
    tables.iter().filter(|table| words.contains(&table.name)).cloned().collect()
}

/// All that a backup before these files holds: tables and views, by name.
pub(super) async fn affected(client: &Client, missing: &[&refinery::Migration]) -> Result<Vec<String>, MigrateError> {
    let tables = tables(client).await?;
    let mut names = BTreeSet::from(["refinery_schema_history".to_owned()]);
    for migration in missing {
        let script = script(migration)?;
        let statements = script.steps.iter().flat_map(|step| step.statements.iter().map(String::as_str));
        names.extend(named(statements, &tables).into_iter().map(|table| table.name));
    }
    if names.contains(LEDGER[0]) {
        names.extend(LEDGER.map(str::to_owned));
    }
    let names: Vec<String> = names.into_iter().collect();
    let rows = client.query(DEPENDENTS, &[&names]).await.map_err(MigrateError::of)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_affected_when_code_names_it() {
        let table = |name: &str| Table { name: name.to_owned(), rows: 1 };
        let tables = [table("jobs"), table("cities"), table("meetings")];
        let statements = [
            "alter table jobs add column a int -- meetings",
            "create function f() returns int as $$ select 1 from cities $$ language sql",
            "comment on table jobs is 'meetings'",
        ];
        assert_eq!(named(statements.into_iter(), &tables), [table("jobs")]);
    }
}
