//! Accounts with the rights of infra/postgres/roles.sql.

use super::{TestDb, unique};
use tokio_postgres::Config;

/// Grants the rights on this schema, and makes an account that has one role's.
pub(crate) async fn login(db: &TestDb, role: &str) -> Config {
    let client = db.connect().await;
    let (name, password) = (unique(role), unique("password"));
    // The roles belong to all databases of the server: tests that grant at once would update the same rows.
    let alone = client.batch_execute("select pg_advisory_lock(hashtext('roles.sql'))").await;
    alone.unwrap();
    client.batch_execute(include_str!("../../../infra/postgres/roles.sql")).await.unwrap();
    client.batch_execute(&format!("create role {name} login password '{password}' in role {role}")).await.unwrap();
    client.batch_execute("select pg_advisory_unlock(hashtext('roles.sql'))").await.unwrap();
    let mut config = db.config();
    config.user(&name).password(&password);
    config
}
