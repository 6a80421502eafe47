//! PostgreSQL: pool, migrations, LISTEN.

mod connect;
mod error;
mod listen;
mod migrate;
mod pool;

pub use connect::{DbUrlError, connect, parse_url};
pub use error::{describe, is_passing};
pub use listen::{Notifications, listen};
pub use migrate::{MigrateError, Migration, applied, migrate, migrations, newest};
pub use pool::{Pool, PoolOptions, PoolPurpose, pool};
