//! The domain on a real PostgreSQL and a made-up city.

mod behind;
mod clerk;
mod families;
mod flow;
mod handlers;
mod links;
mod outage;
mod roles;
mod signed;
mod store;
mod support;
mod swaps;
mod vendors;
