//! The domain on a real PostgreSQL and a made-up city.

mod agendas;
mod behind;
mod cadence;
mod clerk;
mod families;
mod flow;
mod handlers;
mod held_back;
mod life;
mod links;
mod matters;
mod models;
mod money;
mod outage;
mod paid_agenda;
mod paid_once;
mod politeness;
mod record;
mod reparse;
mod roles;
mod signed;
mod store;
mod support;
mod swaps;
mod together;
mod vendors;
