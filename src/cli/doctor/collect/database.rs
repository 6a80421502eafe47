//! What PostgreSQL tells: settings and catalogues, no row of a job.

use super::{
    super::{
        super::client,
        facts::{Clock, Database, Identity, Rights, Role, Schemas, Seen, Server, Service, Transactions},
    },
    needs,
};
use crate::db;
use jiff::Timestamp;
use std::{collections::BTreeMap, future::Future, time::Duration};
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, Config};

/// One question. They wait for nothing that others lock.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn ask(config: Option<Config>, roles: &[Role]) -> Service<Database> {
    let Some(config) = config else { return Service::Unnamed };
    let client = match client::open(&config).await {
        Ok(client) => client,
        Err(failure) => return Service::Failed(failure),
    };
    // Alone, so that its round trip is short.
    let clock = seen(clock(&client)).await;
    // One connection answers the others in the order of asking: sent at once, they take one round trip's time.
    let (identity, schema, rights, server, transactions) = tokio::join!(
        seen(identity(&client)),
        seen(schemas(&client)),
        seen(rights(&client, roles)),
        seen(server(&client)),
        seen(transactions(&client)),
    );
    let cities = seen(cities(&client)).await.unwrap_or_default();
    Service::Answers(Database { identity, schema, rights, clock, server, transactions, cities })
}

async fn seen<T>(question: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Seen<T> {
    match timeout(LIMIT, question).await {
        Ok(answer) => answer.map_err(|error| db::describe(&error)),
        Err(_) => Err(format!("no answer within {LIMIT:?}")),
    }
}

async fn identity(client: &Client) -> Result<Identity, tokio_postgres::Error> {
    let sql = "select current_setting('server_version_num')::int, current_setting('server_version'), current_user::text, \
               rolsuper from pg_roles where rolname = current_user";
    let row = client.query_one(sql, &[]).await?;
    Ok(Identity { version_number: row.get(0), version: row.get(1), user: row.get(2), is_superuser: row.get(3) })
}

async fn schemas(client: &Client) -> Result<Schemas, tokio_postgres::Error> {
    let sql = "select current_setting('search_path'), current_schema()::text, current_user::text,
        array(select n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
              where c.relname = 'refinery_schema_history' and c.relkind in ('r', 'p') order by 1),
        (select n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.oid = to_regclass('jobs'))";
    let row = client.query_one(sql, &[]).await?;
    let (search_path, user): (String, String) = (row.get(0), row.get(2));
    let named = names(&search_path, &user);
    let sql =
        "select nspname::text from pg_namespace where nspname = any($1) and not has_schema_privilege(oid, 'USAGE')";
    let closed = client.query(sql, &[&named]).await?.iter().map(|row| row.get(0)).collect();
    Ok(Schemas {
        applied: db::applied(client).await.map_err(|error| db::describe(&error)),
        newest: db::newest(),
        search_path,
        current: row.get(1),
        closed,
        homes: row.get(3),
        jobs_in: row.get(4),
    })
}

/// The schemas of a search path. Names with commas in them are not worth a parser.
fn names(search_path: &str, user: &str) -> Vec<String> {
    let plain = |name: &str| match name.trim().trim_matches('"') {
        "$user" => user.to_owned(),
        name => name.to_owned(),
    };
    search_path.split(',').map(plain).filter(|name| !name.is_empty()).collect()
}

async fn rights(client: &Client, roles: &[Role]) -> Result<Rights, tokio_postgres::Error> {
    let (names, rights): (Vec<&str>, Vec<&str>) = needs::pairs(roles).into_iter().unzip();
    // What isn't there is the schema's matter. Rights may be given for single columns, but not that of deleting.
    let sql = "select name, wanted from unnest($1::text[], $2::text[]) as need(name, wanted)
        join pg_class found on found.oid = to_regclass(name)
        where not case
            when relkind = 'S' then has_sequence_privilege(found.oid, wanted)
            when wanted = 'DELETE' then has_table_privilege(found.oid, wanted)
            else has_any_column_privilege(found.oid, wanted) end
        order by 1, 2";
    let rows = client.query(sql, &[&names, &rights]).await?;
    Ok(Rights { missing: rows.iter().map(|row| (row.get(0), row.get(1))).collect() })
}

/// The database's clock is read somewhere between two looks at the monotonic one: half of that time is the error.
async fn clock(client: &Client) -> Result<Clock, tokio_postgres::Error> {
    let statement = client.prepare("select extract(epoch from clock_timestamp())::float8").await?;
    let (wall, begun) = (Timestamp::now(), Instant::now());
    let theirs: f64 = client.query_one(&statement, &[]).await?.get(0);
    let half = begun.elapsed().as_secs_f64() / 2.0;
    Ok(compare(theirs, wall.as_duration().as_secs_f64(), half))
}

fn compare(theirs: f64, ours_before: f64, half: f64) -> Clock {
    Clock { ahead: theirs - (ours_before + half), uncertain: half }
}

async fn server(client: &Client) -> Result<Server, tokio_postgres::Error> {
    let names = [
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "max_connections",
        "superuser_reserved_connections",
        "reserved_connections",
        "lock_timeout",
        "idle_session_timeout",
        "transaction_timeout",
    ];
    // Docket sets its own statement_timeout, so the server's is of no interest.
    let rows = client.query("select name, setting from pg_settings where name = any($1)", &[&&names[..]]).await?;
    let settings: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let text = |name: &str| settings.get(name).map(String::as_str).unwrap_or_default();
    // One that this version doesn't have is none.
    let number = |name: &str| text(name).parse::<i64>().unwrap_or(0);
    let sql = "select count(*) from pg_stat_activity where backend_type = 'client backend'";
    let connections_used = client.query_one(sql, &[]).await?.get(0);
    Ok(Server {
        fsync: text("fsync") == "on",
        full_page_writes: text("full_page_writes") == "on",
        synchronous_commit: text("synchronous_commit").to_owned(),
        connections_max: number("max_connections")
            - number("superuser_reserved_connections")
            - number("reserved_connections"),
        connections_used,
        registered: registered(client).await,
        lock_timeout: number("lock_timeout"),
        idle_session_timeout: number("idle_session_timeout"),
        transaction_timeout: number("transaction_timeout"),
    })
}

/// None where the table isn't there, or may not be read: other checks tell that.
async fn registered(client: &Client) -> i64 {
    let row = client.query_one("select count(*) from workers", &[]).await;
    row.map(|row| row.get(0)).unwrap_or(0)
}

/// None where the table isn't there, or may not be read: other checks tell that.
async fn cities(client: &Client) -> Result<i64, tokio_postgres::Error> {
    let sql = "select count(*) from cities
        where coalesce(params ->> 'base_url', '') !~ '^https?://(127[.]|localhost[:/]|[[]::1[]])'";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

async fn transactions(client: &Client) -> Result<Transactions, tokio_postgres::Error> {
    let sql = "select count(*), coalesce(max(extract(epoch from now() - xact_start)), 0)::bigint,
            count(*) filter (where state like 'idle in transaction%'),
            coalesce((array_agg(usename || ' (' || application_name || ')' order by xact_start))[1], '')
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
            and xact_start < now() - interval '5 minutes'";
    let row = client.query_one(sql, &[]).await?;
    Ok(Transactions { count: row.get(0), oldest_seconds: row.get(1), idle: row.get(2), oldest_of: row.get(3) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_path_names_schemas() {
        assert_eq!(names("\"$user\", public", "ada"), ["ada", "public"]);
        assert_eq!(names("\"Fleet A\",,  x", "ada"), ["Fleet A", "x"]);
        assert_eq!(names("\"\"", "ada"), [""; 0]);
    }

    #[test]
    fn the_round_trip_is_split() {
        let clock = compare(1000.0, 990.0, 2.0);
        assert!((clock.ahead - 8.0).abs() < 1e-9 && (clock.uncertain - 2.0).abs() < 1e-9);
    }
}
