//! The domain on a real PostgreSQL and a made-up city.

mod agenda;
mod families;
mod flow;
mod handlers;
mod held_back;
mod models;
mod money;
mod outage;
mod paid_once;
mod roles;
mod store;
mod support;
mod vendors;
