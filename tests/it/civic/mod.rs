//! The domain on a real PostgreSQL and a made-up city.

mod agendas;
mod cadence;
mod families;
mod flow;
mod handlers;
mod outage;
mod roles;
mod store;
mod support;
mod vendors;
