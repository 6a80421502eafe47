//! PostgreSQL: pool, migrations, LISTEN.
